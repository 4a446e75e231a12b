#!/usr/bin/env bash
# What a night does for a repository: reads it, waits for its vectors, looks for examples to learn from and asks for a
# run of fine-tuning on them, counts for the BI views, and says how all stands.
#
#   nightly.sh FOLDER REPO
#
# It works on the database of the PG* environment (or PGSERVICE), as a member of pgduet_admin, pgduet_writer and
# pgduet_worker, and calls the sidecar of PGDUET_SIDECAR or of the setting sidecar_address. `pgduet` and `psql` are on
# the PATH. Runs that are asked for wait for `pgduet trainer`.
#
#   PATIENCE        seconds to wait for vectors that other workers have in hand (3600)
#   LEAST_COVERAGE  the least share of the chunks with code that must have a current vector (0.99)
#   LEAST_RECALL    the least share of the nearest chunks that searches must find (0.9)
#   STEPS           of fine-tuning (100); 0 leaves learning out
#
# Exit codes: 0 all is well; 1 a step failed; 2 wrong usage; 3 something is below its bound, as the last lines say.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
patience=${PATIENCE:-3600} least_coverage=${LEAST_COVERAGE:-0.99} least_recall=${LEAST_RECALL:-0.9} steps=${STEPS:-100}

say() { printf 'nightly: %s\n' "$*"; }
fail() {
    local code=$1
    shift
    printf 'nightly: error: %s\n' "$@" >&2
    exit "$code"
}
ask() { # runs SQL of standard input
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --set=repo="$repo" \
        --set=steps="$steps" --set=least_coverage="$least_coverage" --set=least_recall="$least_recall"
}
is_share() { [[ $1 =~ ^(0(\.[0-9]+)?|1(\.0+)?)$ ]]; }

[ $# -eq 2 ] || fail 2 "wanted are FOLDER and REPO, such as: nightly.sh /srv/git/shop shop"
folder=$1 repo=$2
[ -d "$folder" ] || fail 2 "$folder is no folder"
is_share "$least_coverage" && is_share "$least_recall" || fail 2 "LEAST_COVERAGE and LEAST_RECALL are from 0 to 1"
[[ $patience =~ ^[0-9]+$ && $steps =~ ^[0-9]+$ ]] || fail 2 "PATIENCE and STEPS are whole numbers"

say "reading $folder into $repo"
pgduet ingest "$folder" --repo "$repo"

# Takes part in the work until nothing is due; what others have in hand then is waited for.
say "waiting for vectors"
pgduet worker --once --no-index
end=$((SECONDS + patience))
while pending=$(ask <"$here/pending.sql") || fail 1 "the queue cannot be read"; [ "$pending" -gt 0 ]; do
    if [ $SECONDS -ge $end ]; then
        say "after $patience s $pending chunks of $repo still wait for a vector: the bounds will judge"
        break
    fi
    sleep 2
done

if [ "$steps" -gt 0 ]; then
    say "looking for examples to learn from"
    code=0
    pgduet mine || code=$?
    case $code in
    0) ask <"$here/finetune.sql" ;;
    3) say "there is too little to learn from yet: no run was asked for" ;;
    *) fail 1 "pgduet mine ended with $code" ;;
    esac
fi

# A worker counts for the BI views what is due; a service that runs all day has done so already.
say "counting"
pgduet worker --once --no-index

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=repo="$repo" <"$here/report.sql"
broken=$(ask <"$here/bounds.sql")
[ -z "$broken" ] || { mapfile -t lines <<<"$broken" && fail 3 "${lines[@]}"; }
say "all is well"

"""What single pages take for granted beyond what their place has: files, rows, roles."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from fix_database import Connection
from fix_documents import Place
from fix_wire import Authority
from pgduet.encoding.store.reweighting import reweighted

Setup = Callable[[Connection, Place], None]

FILES = {
    "shop/http.py": "def call_again(send, times):\n    '''Send a request again when it fails.'''\n"
    "    for _ in range(times):\n        try:\n            return send()\n        except ConnectionError:\n"
    "            continue\n",
    "shop/cart.py": "def total(cart):\n    return sum(line.price for line in cart.lines)\n",
}
LIBRARY = (
    "INSERT INTO pgduet.code_chunks (repo, path, symbol, kind, language, content)"
    " SELECT 'cpython', %s, symbol, kind, language, content FROM pgduet.chunk_code(%s, path => %s)"
    " WHERE symbol IN ('Timeout._on_timeout', 'wait_for', 'sleep')"
)
ROLES = (
    "CREATE ROLE analyst LOGIN; CREATE ROLE app LOGIN; CREATE ROLE grafana LOGIN;"
    " CREATE TABLE member (who text, repo text)"
)
SCRIPTS = (
    "CREATE SCHEMA shop; CREATE TABLE shop.script (id integer PRIMARY KEY, file_name text, body text);"
    " INSERT INTO shop.script VALUES (1, 'dates.py', 'def parse_date(text): return date.fromisoformat(text)')"
)
ASKED = {
    "sort a list of numbers": "def order(numbers):\n    return sorted(numbers)",
    "read a whole file": "def slurp(path):\n    return open(path).read()",
    "parse json text": "def decode(text):\n    return json.loads(text)",
    "delete a folder": "def wipe(path):\n    shutil.rmtree(path)",
    "the largest value": "def peak(values):\n    return max(values)",
    "download a web page": "def fetch(url):\n    return urllib.request.urlopen(url).read()",
    "hash a password": "def digest(password):\n    return hashlib.sha256(password).hexdigest()",
    "wait for some seconds": "def pause(seconds):\n    time.sleep(seconds)",
    "today's date": "def now():\n    return datetime.date.today()",
    "start a thread": "def spawn(job):\n    threading.Thread(target=job).start()",
    "send an email": "def mail(message):\n    smtplib.SMTP('localhost').send_message(message)",
    "compress bytes": "def pack(data):\n    return zlib.compress(data)",
    "random number": "def dice():\n    return random.randint(1, 6)",
    "square root": "def root(number):\n    return math.sqrt(number)",
    "connect to a database": "def open_database(path):\n    return sqlite3.connect(path)",
    "split text into words": "def words(text):\n    return text.split()",
}


def library(session: Connection, place: Place) -> None:
    """Store what `make demo` reads of Python's own library, as far as the page shows it."""
    for name in ("timeouts", "tasks"):
        text = (Path(asyncio.__file__).parent / f"{name}.py").read_text()
        session.execute(LIBRARY, (f"asyncio/{name}.py", text, f"asyncio/{name}.py"))


def checkout(session: Connection, place: Place) -> None:
    for name, text in FILES.items():
        (place.folder / "src" / name).parent.mkdir(exist_ok=True)
        (place.folder / "src" / name).write_text(text)


def certificates(session: Connection, place: Place) -> None:
    session.execute(ROLES)
    issued = Authority(place.folder).issue()
    issued.certificate.rename(place.folder / "s.pem")
    issued.key.rename(place.folder / "s.key")


def scripts(session: Connection, place: Place) -> None:
    session.execute(SCRIPTS)


def visitor(session: Connection, place: Place) -> None:
    session.execute("CREATE ROLE ada LOGIN IN ROLE pgduet_reader")


def benchmark(session: Connection, place: Place) -> None:
    """Write queries and codes of one's own."""
    queries = [{"query": query, "code_id": number} for number, query in enumerate(ASKED)]
    codes = [{"code_id": number, "code": code} for number, code in enumerate(ASKED.values())]
    for names, lines in ((("dev", "queries"), queries), (("codes",), codes)):
        for name in names:
            (place.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def another_duet(session: Connection, place: Place) -> None:
    benchmark(session, place)
    reweighted("small", "small-ft", (0.6, 0.4), place.folder / "models")


def counted(session: Connection, place: Place) -> None:
    """Let a worker count what the views show."""
    subprocess.run(["pgduet", "worker", "--once"], env=dict(place.environment), check=True, timeout=60)


SETUPS: dict[str, Setup] = {
    "README.md": library,
    "docs/bi.md": counted,
    "docs/security.md": certificates,
    "docs/sql.md": scripts,
    "docs/ui.md": visitor,
    "docs/how-to/index-a-repository.md": checkout,
}
# Where slow blocks run too.
SLOW_SETUPS: dict[str, Setup] = {"docs/models.md": another_duet, "docs/quality.md": benchmark}

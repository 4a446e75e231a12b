// The plane of the code map: points in the unit square on a canvas, with zoom and pan. Knows nothing of chunks.
"use strict";
class MapView {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.points = []; // { x, y, colour, size, marked, hidden }
    this.scale = 1;
    this.left = 0;
    this.top = 0;
    this.fingers = new Map();
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, event);
      this.moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
  }

  // The side of the square in pixels, before zooming.
  get side() {
    return Math.min(this.canvas.clientWidth, this.canvas.clientHeight) * 0.92;
  }

  at(point) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return [
      width / 2 + ((point.x - 0.5) * this.side + this.left) * this.scale,
      height / 2 + ((point.y - 0.5) * this.side + this.top) * this.scale,
    ];
  }

  nearest(x, y, reach) {
    let found = null;
    let best = reach * reach;
    for (const point of this.points) {
      if (point.hidden) continue;
      const [px, py] = this.at(point);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < best) [best, found] = [distance, point];
    }
    return found;
  }

  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const next = Math.max(0.5, Math.min(400, this.scale * factor));
    const [dx, dy] = [x - this.canvas.clientWidth / 2, y - this.canvas.clientHeight / 2];
    this.left += dx / next - dx / this.scale;
    this.top += dy / next - dy / this.scale;
    this.scale = next;
    this.draw();
  }

  pan(dx, dy) {
    this.left += dx / this.scale;
    this.top += dy / this.scale;
    this.draw();
  }

  fit() {
    [this.scale, this.left, this.top] = [1, 0, 0];
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY) || 1;
      this.zoom(apart(event) / apart(before), other.offsetX, other.offsetY);
    } else {
      this.pan(dx, dy);
    }
    this.moved += Math.abs(dx) + Math.abs(dy);
    this.fingers.set(event.pointerId, event);
  }

  #paint() {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const brush = canvas.getContext("2d");
    brush.scale(ratio, ratio);
    const anyMarked = this.points.some((point) => point.marked);
    const radius = Math.min(7, (this.points.length > 4000 ? 1.6 : 3) * Math.max(1, this.scale ** 0.35));
    const ink = getComputedStyle(canvas).color;
    for (const last of [false, true]) { // what is marked lies on top
      for (const point of this.points) {
        if (point.hidden || Boolean(point.marked || point.chosen) !== last) continue;
        const [x, y] = this.at(point);
        if (x < -9 || y < -9 || x > canvas.clientWidth + 9 || y > canvas.clientHeight + 9) continue;
        brush.globalAlpha = anyMarked && !point.marked ? 0.25 : 0.85;
        brush.fillStyle = point.colour;
        brush.beginPath();
        brush.arc(x, y, last ? radius + 2 : radius, 0, 7);
        brush.fill();
        if (last) {
          brush.globalAlpha = 1;
          brush.strokeStyle = ink;
          brush.lineWidth = point.chosen ? 3 : 1.5;
          brush.stroke();
        }
      }
    }
    this.changed?.();
  }
}

// What the JavaScript engine of `swingsim bench meter` runs: round() computes a number.
class Shape {
  constructor(a, b) { this.a = a; this.b = b; }
  area() { return this.a * this.b; }
}
class Circle extends Shape {
  area() { return 3 * this.a * this.a; }
}
function fibonacci(n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
function round() {
  let sum = fibonacci(16), seed = 1;
  const list = [], seen = new Map();
  for (let i = 0; i < 2000; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const shape = i % 3 ? new Shape(seed % 100, i % 10) : new Circle(i % 50, 0);
    list.push({ key: "k" + (seed % 300), area: shape.area() });
    seen.set("k" + (seed % 300), i);
  }
  list.sort((x, y) => x.area - y.area || (x.key < y.key ? -1 : 1));
  const text = JSON.stringify(list.slice(0, 500));
  const words = text.split(/[":,{}]+/).filter((w) => w.length > 2);
  for (const w of words) sum = (sum * 31 + w.charCodeAt(1) + seen.size) % 1000003;
  return sum + JSON.parse(text).length;
}

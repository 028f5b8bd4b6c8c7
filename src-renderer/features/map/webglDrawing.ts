/** Points by WebGL 2, in one call: those below first, those above last. */
import type { PointDrawing, PointView } from './pointDrawing.ts';

const vertexSource = `#version 300 es
in vec2 position;
in vec4 colour;
uniform vec2 scale;
uniform vec2 origin;
uniform float size;
out vec4 shade;
void main() {
  shade = colour;
  gl_PointSize = size;
  bool isPlaced = position == position;
  gl_Position = isPlaced ? vec4(origin + position * scale, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}`;

const fragmentSource = `#version 300 es
precision highp float;
in vec4 shade;
uniform float size;
uniform bool isSquare;
out vec4 colour;
void main() {
  float inside = isSquare ? 1.0 : clamp(0.5 + size * (0.5 - length(gl_PointCoord - 0.5)), 0.0, 1.0);
  float alpha = shade.a * inside;
  colour = vec4(shade.rgb * alpha, alpha);
}`;

/** Names of cards that the processor plays. */
const played = /swiftshader|llvmpipe|softpipe|software|basic render/i;
let quick: boolean | null = null;

/** @returns null where there is no WebGL 2, or only a slow one. */
export function webglDrawing(canvas: HTMLCanvasElement): PointDrawing | null {
  if (!(quick ??= isQuick())) return null;
  const gl = canvas.getContext('webgl2', { antialias: false, depth: false, premultipliedAlpha: true, powerPreference: 'low-power' });
  if (!gl) return null;
  const program = linkedProgram(gl);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const attribute = (name: string, parts: number, type: number, normalized: boolean): WebGLBuffer => {
    const buffer = gl.createBuffer();
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, parts, type, normalized, 0, 0);
    return buffer;
  };
  const buffers = { position: attribute('position', 2, gl.FLOAT, false), colour: attribute('colour', 4, gl.UNSIGNED_BYTE, true), order: gl.createBuffer() };
  const uniform = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, name);
  const places = { scale: uniform('scale'), origin: uniform('origin'), size: uniform('size'), isSquare: uniform('isSquare') };
  const counts = { positions: 0, colours: 0 };
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffers.order);

  function fill(buffer: WebGLBuffer, values: Float32Array | Uint8Array): void {
    gl!.bindBuffer(gl!.ARRAY_BUFFER, buffer);
    gl!.bufferData(gl!.ARRAY_BUFFER, values, gl!.DYNAMIC_DRAW);
  }

  return {
    setPositions(positions) {
      fill(buffers.position, positions);
      counts.positions = positions.length / 2;
    },
    setColours({ colours, raised }) {
      fill(buffers.colour, colours);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, raisedLast(raised), gl.DYNAMIC_DRAW);
      counts.colours = raised.length;
    },
    draw(view: PointView) {
      const [width, height] = [Math.round(view.width * view.pixelRatio), Math.round(view.height * view.pixelRatio)];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      const points = counts.colours;
      // While a map settles, positions and colours may be of different moments.
      if (points === 0 || counts.positions < points || width === 0 || height === 0) return;
      gl.uniform2f(places.scale, (2 * view.scale) / view.width, (-2 * view.scale) / view.height);
      gl.uniform2f(places.origin, (2 * view.left) / view.width - 1, 1 - (2 * view.top) / view.height);
      gl.uniform1f(places.size, Math.max(1, view.size * view.pixelRatio));
      gl.uniform1i(places.isSquare, view.square ? 1 : 0);
      gl.drawElements(gl.POINTS, points, gl.UNSIGNED_INT, 0);
    },
    // The canvas goes with its context; losing it on purpose would keep a canvas that is mounted again from being drawn on.
    dispose() {
      for (const buffer of Object.values(buffers)) gl.deleteBuffer(buffer);
      gl.deleteProgram(program);
    },
  };
}

/** Asked of a canvas of its own: one that has once given a WebGL context gives no other. A card that hides its name counts as one. */
function isQuick(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const named = gl.getExtension('WEBGL_debug_renderer_info');
  const name = named ? String(gl.getParameter(named.UNMASKED_RENDERER_WEBGL)) : '';
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return !played.test(name);
}

/** All points once, those that lie over the others at the end. */
function raisedLast(raised: Uint8Array): Uint32Array {
  const order = new Uint32Array(raised.length);
  let at = 0;
  for (const layer of [0, 1]) for (let point = 0; point < raised.length; point++) if (raised[point] === layer) order[at++] = point;
  return order;
}

function linkedProgram(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`The points of the map cannot be drawn: ${gl.getProgramInfoLog(program) ?? 'unknown'}`);
  return program;
}

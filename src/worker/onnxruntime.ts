// The binding knows float16 data only as Uint16Array and refuses the Float16Array that newer
// runtimes have, so that class must be out of sight while onnxruntime-node chooses: not when it is
// loaded, but once and for all when its first tensor is made.
const float16Array: unknown = Reflect.get(globalThis, 'Float16Array');
Reflect.deleteProperty(globalThis, 'Float16Array');

const ort = await import('onnxruntime-node');
new ort.Tensor('uint8', new Uint8Array(1), [1]);
Reflect.set(globalThis, 'Float16Array', float16Array);
ort.env.logLevel = 'fatal'; // its errors arrive as exceptions; its warnings would break up our log

export const { InferenceSession, Tensor } = ort;

/** AlexNet's convolutions with seeded random weights, as a safetensors file: 10 MB that run like the published ones. */
export function randomAlexNet(): Uint8Array {
  const layers = { 0: [64, 3, 11, 11], 3: [192, 64, 5, 5], 6: [384, 192, 3, 3], 8: [256, 384, 3, 3], 10: [256, 256, 3, 3] };
  const header: Record<string, object> = {};
  const values: Uint8Array[] = [];
  let [at, state] = [0, 1];
  const add = (name: string, shape: readonly number[], scale: number) => {
    const tensor = Float32Array.from({ length: shape.reduce((product, size) => product * size) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state / 2 ** 31 - 1) * scale;
    });
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + tensor.byteLength] };
    at += tensor.byteLength;
    values.push(new Uint8Array(tensor.buffer));
  };
  for (const [layer, dims] of Object.entries(layers)) {
    add(`features.${layer}.weight`, dims, Math.sqrt(6 / (dims[1]! * dims[2]! * dims[3]!)));
    add(`features.${layer}.bias`, [dims[0]!], 0.05);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...values]);
}

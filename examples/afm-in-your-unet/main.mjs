// Attention fusion in a network that is not ours: a small denoiser written with plain ops, whose self-attention becomes reference attention.
import { attentionFusion } from "@refadgen/afm";
import { add, attention, formulaGaussian, formulaWeights, Graph, linear, openSession, silu, Weights } from "@refadgen/graph";

const [batch, tokens, channels, heads] = [2, 48, 32, 4];

/** A network of your own: tokens in, tokens out. `attend` is where its self-attention happens. */
function denoiser(x, weights, attend) {
  let h = x;
  for (const name of ["block0", "block1"]) {
    const block = weights.at(name);
    const project = (part) => linear(h, block.get(`${part}.weight`, [channels, channels]));
    const seen = attend(name, { query: project("q"), key: project("k"), value: project("v"), heads }, h);
    h = add(h, silu(linear(seen, block.get("out.weight", [channels, channels]), block.get("out.bias", [channels]))));
  }
  return h;
}

const weights = Weights.from(formulaWeights("example")); // yours come from openWeights("model.safetensors")
const plain = (_, { query, key, value }) => attention(query, key, value, { heads });

// 1. The network as it is.
const original = new Graph("original");
original.output("y", denoiser(original.input("x", "float32", [batch, tokens, channels]), weights, plain));

// 2. The reference pass: the same network shows what its attention layers see, and a projection turns that into keys and values.
const reference = new Graph("reference");
denoiser(reference.input("product", "float32", [batch, tokens, channels]), weights, (name, layer, h) => {
  for (const part of ["key", "value"])
    reference.output(`${name}.${part}`, linear(h, weights.at(name).get(`${part}_ref.weight`, [channels, channels])));
  return plain(name, layer);
});

// 3. The network with attention fusion: keys and values of the reference are inputs, and so is λ.
const fused = new Graph("fused");
const scale = fused.input("scale", "float32", [1]);
const x = fused.input("x", "float32", [batch, tokens, channels]);
const fusion = (name, layer) => {
  const [key, value] = ["key", "value"].map((part) => fused.input(`${name}.${part}`, "float32", [batch, tokens, channels]));
  return attentionFusion({ ...layer, reference: { key, value }, scale });
};
fused.output("y", denoiser(x, weights, fusion));

const tensor = (name) => ({ dtype: "float32", dims: [batch, tokens, channels], data: formulaGaussian(name, [batch, tokens, channels]) });
const run = async (graph, feeds) => {
  const session = await openSession(graph);
  const outputs = await session.run(feeds);
  await session.dispose();
  return outputs;
};
const noise = tensor("noise");
const before = (await run(original, { x: noise })).y.data;
const keysAndValues = await run(reference, { product: tensor("product") });
const distance = (a, b) => Math.max(...a.map((value, index) => Math.abs(value - b[index])));
for (const lambda of [0, 0.5, 1]) {
  const after = (await run(fused, { x: noise, ...keysAndValues, scale: { dtype: "float32", dims: [1], data: Float32Array.of(lambda) } })).y.data;
  const change = distance(before, after);
  console.log(`λ = ${lambda}: largest change ${change.toExponential(1)}`);
  if (lambda === 0 ? change > 1e-5 : change < 1e-2) throw new Error("the reference is not used as λ says");
}

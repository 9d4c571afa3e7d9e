// A small U-Net in TensorFlow.js with the Attention Fusion Module, trained to denoise pictures of products that it is shown.
// Afterwards it is asked twice: with the true reference, and with those of other pictures. If the reference is used, the first loss is
// far below the second.
import { AttentionFusion } from "@refadgen/afm/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tfl from "@tensorflow/tfjs-layers";
import { teachConvolutionGradient } from "./convolution-gradient.mjs";

const [size, batch, steps] = [8, 16, 150];
const frequencies = [1, 2, 4];

teachConvolutionGradient();
await tf.setBackend("wasm");
await tf.ready();

const model = unet();
console.log(`${model.countParams()} weights on ${tf.getBackend()}, ${steps} steps of ${batch} pictures of ${size} × ${size}`);
model.compile({ optimizer: tf.train.adam(3e-3), loss: "meanSquaredError" });
for (let step = 1; step <= steps; step++) {
  const { inputs, velocity } = examples(step);
  const loss = await model.trainOnBatch(inputs, velocity);
  tf.dispose([inputs, velocity]);
  if (step % 50 === 0) console.log(`step ${step}: loss ${loss.toFixed(4)}`);
}

const { inputs, velocity } = examples(1_000_003, 64);
const [noisy, reference] = inputs;
const shuffled = tf.concat([tf.slice(reference, 1), tf.slice(reference, 0, 1)]);
const [withTrue, withOther] = [loss([noisy, reference]), loss([noisy, shuffled])];
console.log(
  `loss with the true reference ${withTrue.toFixed(4)}, with another one ${withOther.toFixed(4)}: ${(withOther / withTrue).toFixed(1)} times`,
);
if (!(withOther > 5 * withTrue)) {
  console.error("The reference is not used.");
  process.exitCode = 1;
}

function loss(feeds) {
  return tf.tidy(() => tf.mean(tf.squaredDifference(model.predict(feeds), velocity)).dataSync()[0]);
}

/** Two levels down and up with a skip; the layer between them looks at itself and, by AFM, at the product. */
function unet() {
  const conv = (filters, strides = 1) => tfl.layers.conv2d({ filters, kernelSize: 3, strides, padding: "same", activation: "relu" });
  const tokens = (x) => tfl.layers.layerNormalization().apply(tfl.layers.reshape({ targetShape: [(size / 2) ** 2, 48] }).apply(x));

  const noisy = tfl.input({ shape: [size, size, 3 + 4 * frequencies.length] });
  const product = tfl.input({ shape: [size, size, 3 + 4 * frequencies.length] });
  const skip = conv(24).apply(noisy);
  const hidden = conv(48, 2).apply(skip);
  const fused = new AttentionFusion({ heads: 4 }).apply([tokens(hidden), tokens(conv(48, 2).apply(product))]);
  const middle = tfl.layers.add().apply([hidden, tfl.layers.reshape({ targetShape: [size / 2, size / 2, 48] }).apply(fused)]);
  // Not upSampling2d: the gradient that the wasm backend has for it is wrong.
  const up = tfl.layers.conv2dTranspose({ filters: 48, kernelSize: 2, strides: 2, padding: "same" }).apply(middle);
  const joined = conv(24).apply(tfl.layers.concatenate().apply([up, skip]));
  return tfl.model({ inputs: [noisy, product], outputs: tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }).apply(joined) });
}

/**
 * Products are sheets of 4 × 4 tiles, shades of one colour; the picture to denoise shows the same sheet. Velocity is what v-prediction
 * learns: α · noise - σ · picture. Sines and cosines of the place are further channels, so that attention can find the same place.
 */
function examples(seed, count = batch) {
  return tf.tidy(() => {
    const colour = tf.randomUniform([count, 1, 1, 3], -0.6, 0.6, "float32", seed);
    const tiles = tf.add(colour, tf.randomUniform([count, 4, 4, 3], -0.4, 0.4, "float32", seed + 0.25));
    const picture = tf.image.resizeNearestNeighbor(tiles, [size, size]);
    const noise = tf.randomNormal(picture.shape, 0, 1, "float32", seed + 0.5);
    const [alpha, sigma] = [0.2, Math.sqrt(1 - 0.2 ** 2)];
    const noisy = tf.add(tf.mul(picture, alpha), tf.mul(noise, sigma));
    const places = tf.tile(placeChannels(), [count, 1, 1, 1]);
    return {
      inputs: [tf.concat([noisy, places], 3), tf.concat([picture, places], 3)],
      velocity: tf.sub(tf.mul(noise, alpha), tf.mul(picture, sigma)),
    };
  });
}

/** `[1, size, size, 4 · frequencies]`: for rows and for columns. */
function placeChannels() {
  const line = tf.linspace(0, Math.PI, size);
  const waves = frequencies.flatMap((frequency) => [tf.sin(tf.mul(line, frequency)), tf.cos(tf.mul(line, frequency))]);
  const wave = tf.stack(waves, 1);
  const rows = tf.tile(tf.expandDims(wave, 1), [1, size, 1]);
  const columns = tf.tile(tf.expandDims(wave, 0), [size, 1, 1]);
  return tf.expandDims(tf.concat([rows, columns], 2));
}

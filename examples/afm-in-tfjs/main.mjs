// A small U-Net in TensorFlow.js with the Attention Fusion Module, trained to denoise pictures of products that it is shown.
// Afterwards it is asked twice: with the true reference, and with those of other pictures. If the reference is used, the first loss is
// far below the second.
import { AttentionFusion } from "@refadgen/afm/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tfl from "@tensorflow/tfjs-layers";
import { teachConvolutionGradient } from "./convolution-gradient.mjs";

const [size, batch, steps] = [16, 16, 400];

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
console.log(`loss with the true reference ${withTrue.toFixed(4)}, with another one ${withOther.toFixed(4)}: ${(withOther / withTrue).toFixed(1)} times`);
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
  const down = (x) => conv(48, 2).apply(conv(24).apply(x));
  const tokens = (x) => tfl.layers.layerNormalization().apply(tfl.layers.reshape({ targetShape: [(size / 2) ** 2, 48] }).apply(x));

  const noisy = tfl.input({ shape: [size, size, 5] });
  const product = tfl.input({ shape: [size, size, 5] });
  const skip = conv(24).apply(noisy);
  const hidden = conv(48, 2).apply(skip);
  const fused = new AttentionFusion({ heads: 4 }).apply([tokens(hidden), tokens(down(product))]);
  const middle = tfl.layers.add().apply([hidden, tfl.layers.reshape({ targetShape: [size / 2, size / 2, 48] }).apply(fused)]);
  const up = tfl.layers.upSampling2d({ size: [2, 2] }).apply(conv(48).apply(middle));
  const joined = conv(24).apply(tfl.layers.concatenate().apply([up, skip]));
  return tfl.model({ inputs: [noisy, product], outputs: tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same" }).apply(joined) });
}

/**
 * Products are sheets of 8 × 8 coloured tiles; the picture to denoise shows the same one. Velocity is what v-prediction learns:
 * α · noise - σ · picture. Coordinates are two more channels, so that attention can find the same place.
 */
function examples(seed, count = batch) {
  return tf.tidy(() => {
    const tiles = tf.randomUniform([count, 8, 8, 3], -1, 1, "float32", seed);
    const picture = tf.image.resizeNearestNeighbor(tiles, [size, size]);
    const noise = tf.randomNormal(picture.shape, 0, 1, "float32", seed + 0.5);
    const [alpha, sigma] = [0.2, Math.sqrt(1 - 0.2 ** 2)];
    const line = tf.linspace(-1, 1, size);
    const place = tf.stack([tf.tile(tf.reshape(line, [size, 1]), [1, size]), tf.tile(tf.reshape(line, [1, size]), [size, 1])], 2);
    const places = tf.tile(tf.expandDims(place), [count, 1, 1, 1]);
    const noisy = tf.add(tf.mul(picture, alpha), tf.mul(noise, sigma));
    return {
      inputs: [tf.concat([noisy, places], 3), tf.concat([picture, places], 3)],
      velocity: tf.sub(tf.mul(noise, alpha), tf.mul(picture, sigma)),
    };
  });
}

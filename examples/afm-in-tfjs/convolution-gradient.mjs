import * as tf from "@tensorflow/tfjs-core";

/**
 * Teaches the wasm backend the one kernel that training a convolution needs and it lacks: the gradient of the filter.
 * For each place of the kernel it is one matrix product, (inputs under that place)ᵀ · (gradient of the outputs).
 */
export function teachConvolutionGradient() {
  tf.registerKernel({
    kernelName: "Conv2DBackpropFilter",
    backendName: "wasm",
    kernelFunc: ({ inputs: { x, dy }, backend, attrs: { strides, pad, filterShape } }) => {
      const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, "floor", false, "channelsLast");
      const { top, bottom, left, right } = info.padInfo;
      const { outHeight, outWidth, strideHeight, strideWidth, inChannels, outChannels, batchSize } = info;
      return tf.tidy(() => {
        const [input, gradient] = [x, dy].map((given) => {
          backend.incRef(given.dataId); // The tensor made here is disposed of by tidy, and its data with it if nobody else were counted.
          return tf.engine().makeTensorFromTensorInfo(given);
        });
        const padded = tf.pad(input, [
          [0, 0],
          [top, bottom + strideHeight],
          [left, right + strideWidth],
          [0, 0],
        ]);
        const rows = tf.reshape(gradient, [-1, outChannels]);
        const places = [];
        for (let y = 0; y < filterShape[0]; y++) {
          for (let x = 0; x < filterShape[1]; x++) {
            const seen = tf.stridedSlice(
              padded,
              [0, y, x, 0],
              [batchSize, y + (outHeight - 1) * strideHeight + 1, x + (outWidth - 1) * strideWidth + 1, inChannels],
              [1, strideHeight, strideWidth, 1],
            );
            places.push(tf.matMul(tf.reshape(seen, [-1, inChannels]), rows, true, false));
          }
        }
        return tf.reshape(tf.stack(places), filterShape);
      });
    },
  });
}

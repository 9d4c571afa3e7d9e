import { AttentionFusion } from "@refadgen/afm/tfjs";
import { openTfjsSession } from "@refadgen/graph/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import * as tfl from "@tensorflow/tfjs-layers";

const [hidden, reference] = [tfl.input({ shape: [9, 8] }), tfl.input({ shape: [5, 12] })];
const fused = new AttentionFusion({ heads: 2 }).apply([hidden, reference]) as tfl.SymbolicTensor;
const model = tfl.model({ inputs: [hidden, reference], outputs: fused });
const answer = model.predict([tf.ones([2, 9, 8]), tf.ones([2, 5, 12])]) as tf.Tensor;
if (String(answer.shape) !== "2,9,8") throw new Error(`expected [2, 9, 8] from AttentionFusion, got [${answer.shape}]`);
if (typeof openTfjsSession !== "function") throw new Error("expected openTfjsSession, got none");

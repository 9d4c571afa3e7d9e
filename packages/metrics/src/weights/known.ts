import type { WeightLookup } from "@refadgen/graph";

/** Files of this field, told apart by the names and sizes of a few of their tensors. */
interface Known {
  readonly id: KnownWeights;
  readonly description: string;
  /** Keys that must be there, with the sizes that tell relatives apart; an empty list stands for any sizes. */
  readonly signature: Readonly<Record<string, readonly number[]>>;
}

/** What a file is called here once it is recognised. */
export type KnownWeights =
  | "inception-fid"
  | "inception-imagenet"
  | "inception-torchscript"
  | "alexnet"
  | "vgg16-bn"
  | "vgg19"
  | "vgg16"
  | "squeezenet1_0"
  | "squeezenet1_1"
  | "lpips-lin-squeeze"
  | "lpips-lin-alex"
  | "lpips-lin-vgg"
  | "clip-openai"
  | "clip-openai-resnet"
  | "clip-transformers"
  | "clip-vision-transformers"
  | "clip-text-transformers"
  | "image-reward"
  | "dinov2"
  | "dino-vit-s-16"
  | "dino-vit-s-8"
  | "dino-vit-b-16"
  | "dino-vit-b-8"
  | "vit"
  | "unet"
  | "autoencoder"
  | "stable-diffusion";

const known: readonly Known[] = [
  entry("inception-fid", "FID's Inception (pt_inception-2015-12-05)", { "Conv2d_1a_3x3.conv.weight": [32, 3, 3, 3], "fc.weight": [1008, 2048] }),
  entry("inception-imagenet", "torchvision's inception_v3 for ImageNet, whose features give another FID", {
    "Conv2d_1a_3x3.conv.weight": [32, 3, 3, 3],
    "fc.weight": [1000, 2048],
  }),
  entry("inception-torchscript", "the TorchScript Inception of StyleGAN and clean-fid (inception-2015-12-05.pt)", { "layers.conv.weight": [] }),
  entry("alexnet", "torchvision's AlexNet", { "features.0.weight": [64, 3, 11, 11], "features.10.weight": [256, 256, 3, 3] }),
  entry("vgg16-bn", "torchvision's VGG16 with batch normalisation (the one without is needed)", {
    "features.0.weight": [64, 3, 3, 3],
    "features.1.running_mean": [64],
  }),
  entry("vgg19", "torchvision's VGG19", { "features.0.weight": [64, 3, 3, 3], "features.34.weight": [512, 512, 3, 3] }),
  entry("vgg16", "torchvision's VGG16", { "features.0.weight": [64, 3, 3, 3], "features.28.weight": [512, 512, 3, 3] }),
  entry("squeezenet1_0", "torchvision's SqueezeNet 1.0 (1.1 is needed)", { "features.0.weight": [96, 3, 7, 7] }),
  entry("squeezenet1_1", "torchvision's SqueezeNet 1.1", { "features.0.weight": [64, 3, 3, 3], "features.12.squeeze.weight": [64, 512, 1, 1] }),
  entry("lpips-lin-squeeze", "LPIPS's learned weights for SqueezeNet", {
    "lin0.model.1.weight": [1, 64, 1, 1],
    "lin6.model.1.weight": [1, 512, 1, 1],
  }),
  entry("lpips-lin-alex", "LPIPS's learned weights for AlexNet", { "lin0.model.1.weight": [1, 64, 1, 1], "lin1.model.1.weight": [1, 192, 1, 1] }),
  entry("lpips-lin-vgg", "LPIPS's learned weights for VGG16", { "lin0.model.1.weight": [1, 64, 1, 1], "lin1.model.1.weight": [1, 128, 1, 1] }),
  entry("clip-openai", "a CLIP in OpenAI's layout", { "visual.conv1.weight": [], text_projection: [] }),
  entry("clip-openai-resnet", "a CLIP of OpenAI with a ResNet (only ViT is read)", { "visual.layer1.0.conv1.weight": [], text_projection: [] }),
  entry("clip-transformers", "a CLIP in transformers' layout", {
    "vision_model.embeddings.patch_embedding.weight": [],
    "text_projection.weight": [],
  }),
  entry("clip-vision-transformers", "a CLIP vision tower without its text tower", { "vision_model.embeddings.patch_embedding.weight": [] }),
  entry("clip-text-transformers", "a CLIP text tower without its vision tower", { "text_model.embeddings.token_embedding.weight": [] }),
  entry("image-reward", "ImageReward", { "blip.visual_encoder.cls_token": [], "mlp.layers.0.weight": [] }),
  entry("dinov2", "a DINOv2 (patches of 14, layer scale), which is another network", { cls_token: [], "blocks.0.ls1.gamma": [] }),
  entry("dino-vit-s-16", "DINO's ViT-S/16", { cls_token: [1, 1, 384], "patch_embed.proj.weight": [384, 3, 16, 16] }),
  entry("dino-vit-s-8", "DINO's ViT-S/8", { cls_token: [1, 1, 384], "patch_embed.proj.weight": [384, 3, 8, 8] }),
  entry("dino-vit-b-16", "DINO's ViT-B/16", { cls_token: [1, 1, 768], "patch_embed.proj.weight": [768, 3, 16, 16] }),
  entry("dino-vit-b-8", "DINO's ViT-B/8", { cls_token: [1, 1, 768], "patch_embed.proj.weight": [768, 3, 8, 8] }),
  entry("vit", "a vision transformer of another size", { cls_token: [], "blocks.0.attn.qkv.weight": [] }),
  entry("unet", "the U-Net of a latent diffusion model", { "time_embedding.linear_1.weight": [], "conv_in.weight": [] }),
  entry("autoencoder", "the autoencoder of a latent diffusion model", { "encoder.conv_in.weight": [], "decoder.conv_in.weight": [] }),
  entry("stable-diffusion", "a whole Stable Diffusion checkpoint", { "model.diffusion_model.input_blocks.0.0.weight": [] }),
];

/** Which known file these weights look like; undefined when like none. Formula weights, which have any key, look like none. */
export function identify(lookup: WeightLookup): { readonly id: KnownWeights; readonly description: string } | undefined {
  const keys = new Set(lookup.keys());
  if (keys.size === 0) return undefined;
  return known.find(({ signature }) =>
    Object.entries(signature).every(([key, dims]) => {
      if (!keys.has(key)) return false;
      return dims.length === 0 || String(lookup.tensor(key, dims)?.dims) === String(dims);
    }),
  );
}

function entry(id: KnownWeights, description: string, signature: Known["signature"]): Known {
  return { id, description, signature };
}

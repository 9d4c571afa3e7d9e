"""Texts that CLIPTokenizer (without ftfy) takes apart in unexpected ways: packages/clip/fixtures/tokenizer-cases.json

python clip_tokenizer.py OUT --tokenizer FOLDER_WITH_VOCAB_AND_MERGES
Recorded with transformers 4.57.1, Python 3.11 (Unicode 14). `variants`: changes of tokenizer_config.json, as SD-2.x (pad "!") and textual inversion make them.
"""
import argparse
import json
import os
import random
import shutil
import tempfile

from transformers import CLIPTokenizer

POOLS = ["abcdeKSſst", "'’´", "ABCΣσςİıßẞ", "0123½²Ⅷ", " \t\n\r\u00a0\u2028\u3000\u0085\u001c", "\u0300\u0301\u0327\u0345\u0307", "漢字カナ한글각", "\u200b\u00ad\ufffd\ufeff\ue000", "😀👩\u200d👧", "-_.,!?", "\U0001f1e9\U0001f1ea\u0f71\u0f72ΐΰ"]
LITERALS = ["<|startoftext|>", "<|endoftext|>", "<|StartOfText|>", "<|ENDOFTEXT|>", "<|end\u200boftext|>", "<|ſtartoftext|>", "'S", "'LL", "n't", "e\u0301", "<sks-dog>"]
VARIANTS = {
    "plain": {},
    "pad !": {"pad_token": "!"},
    "added token, spaces cleaned": {"clean_up_tokenization_spaces": True, "added_tokens_decoder": {
        **{str(i): {"content": t, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": True} for i, t in ((49406, "<|startoftext|>"), (49407, "<|endoftext|>"))},
        "49408": {"content": "<sks-dog>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, "special": False}}},
}
TEXTS = ["a cat!", "hi !! you?!! <|endoftext|>", "what's up, don't. n't ' x ' 've", "a <sks-dog> b<sks-dog>c! <SKS-dog>", " <sks-dog> word! " * 40, "ΑΣ ΑΣ\u0345 ΑΣ\u0301Β Σ", "aB'\u0345s"]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("--tokenizer", required=True)
    args = ap.parse_args()
    random.seed(5)
    drawn = ["".join(random.choice(LITERALS) if random.random() < 0.12 else random.choice(random.choice(POOLS)) for _ in range(random.randint(1, 14))) for _ in range(120)]
    variants = []
    for name, change in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            for file in ("vocab.json", "merges.txt", "tokenizer_config.json"):
                shutil.copyfile(os.path.join(args.tokenizer, file), os.path.join(folder, file))
            path = os.path.join(folder, "tokenizer_config.json")
            config = json.load(open(path)) | change
            json.dump(config, open(path, "w"))
            t = CLIPTokenizer.from_pretrained(folder)
            assert t.fix_text is None
        cases = []
        for text in TEXTS + drawn if name == "plain" else TEXTS:
            ids = t(text, add_special_tokens=False, verbose=False).input_ids
            padded = t(text, padding="max_length", max_length=20, truncation=True).input_ids
            whole = t(text, verbose=False).input_ids
            cases.append({"text": text, "ids": ids, "padded": padded, "length": len(whole), "removed": t.decode(whole[19:-1]), "decoded": t.decode(ids), "without_special": t.decode(ids, skip_special_tokens=True)})
        variants.append({"name": name, "config": change, "cases": cases})
    with open(args.out, "w") as f:
        json.dump({"variants": variants}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()

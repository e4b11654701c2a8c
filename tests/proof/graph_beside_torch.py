"""Export a small BERT with random weights and say, as JSON, how the graph's logits stand to PyTorch's."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from transformers import BertConfig, BertForSequenceClassification

sys.path.insert(0, str(Path(__file__).parents[2] / "models" / "training"))
from graph import export
from sizes import Sizes

POSTS, LENGTHS, LONGEST = 40, (2, 3, 9, 17), 20


def network() -> BertForSequenceClassification:
    """Biases and norms are random too: as they are made, they would hide a mistake."""
    torch.manual_seed(2008)
    sizes = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
    model = BertForSequenceClassification(
        BertConfig(vocab_size=500, max_position_embeddings=64, num_labels=3, hidden_act="gelu", **sizes)
    )
    with torch.no_grad():
        for name, part in model.named_parameters():
            part.normal_(mean=1.0 if "LayerNorm.weight" in name else 0.0, std=0.2)
    return model.eval()


def main() -> None:
    path = Path(sys.argv[1]) / "model.onnx"
    model = network()
    sizes = Sizes(model)
    model(input_ids=torch.randint(500, (POSTS, LONGEST)))
    weights = {name: part.numpy() for name, part in model.state_dict().items()}
    export(model.config.to_dict(), weights, sizes.found(), LONGEST, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    chance = np.random.default_rng(2008)
    apart, spread, company = [], [], []
    for length in LENGTHS:
        ids = chance.integers(0, 500, (POSTS, length))
        theirs = model(input_ids=torch.from_numpy(ids)).logits.detach().numpy()
        ours = session.run(["logits"], {"input_ids": ids})[0]
        alone = np.concatenate([session.run(["logits"], {"input_ids": post[None]})[0] for post in ids])
        apart.append(float(np.abs(ours - theirs).mean()))
        spread.append(float(theirs.std()))
        company.append(float(np.abs(ours - alone).max()))
    print(json.dumps({"apart": apart, "spread": spread, "company": company}))


if __name__ == "__main__":
    main()

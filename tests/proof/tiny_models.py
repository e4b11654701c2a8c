"""Writes small classifiers as Hugging Face's tools write them: python tiny_models.py FOLDER. Needs PyTorch.

The weights are chance, but large enough that each post has a score of its own.
"""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
ROBERTA = {"type_vocab_size": 1, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
TEXT = (
    "this ad makes me so angry who approved it my baby is not a fashion item great love the sling boycott tomorrow "
    "coffee first then outrage sorry is not enough wow what a weekend schlechter Service nie wieder super danke für "
    "die schnelle Hilfe der Zug fährt heute von Gleis 4"
)


def posts() -> Iterator[str]:
    """Texts for the tokenizers to learn from."""
    words = TEXT.split()
    for start in range(len(words)):
        yield " ".join(words[start:] + words[:start])


def word_pieces(folder: Path) -> int:
    """The tokenizer of BERT and DistilBERT; returns the size of its vocabulary."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(posts(), trainers.WordPieceTrainer(vocab_size=400, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **names)
    wrapped.save_pretrained(str(folder))
    return len(wrapped)


def byte_pairs(folder: Path) -> int:
    """The tokenizer of RoBERTa, in its old form: vocab.json and merges.txt."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        posts(), trainers.BpeTrainer(vocab_size=500, special_tokens=special, initial_alphabet=alphabet)
    )
    tokenizer.model.save(str(folder))
    return tokenizer.get_vocab_size()


def sentence_pieces(folder: Path) -> int:
    """The tokenizer of XLM-R as its models on the hub have it: as sentencepiece wrote it, and nothing else."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=posts(), model_writer=written, vocab_size=150, hard_vocab_limit=False, minloglevel=9
    )
    (folder / "sentencepiece.bpe.model").write_bytes(written.getvalue())
    return len(transformers.AutoTokenizer.from_pretrained(str(folder)))


def labelled(*names: str) -> dict[str, Any]:
    """The part of a configuration that names the labels."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: number for number, name in enumerate(names)}}


def write(folder: Path, network: Any, *, old: bool = False) -> None:
    """Write configuration and weights; `old` as PyTorch's own file instead of safetensors."""
    for weights in network.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.3)
    network.config.architectures = [type(network).__name__]
    network.save_pretrained(str(folder))
    if old:
        (folder / "model.safetensors").unlink()
        torch.save(network.state_dict(), folder / "pytorch_model.bin")


def bert(folder: Path) -> None:
    """Three labels in another order than ours."""
    size = word_pieces(folder)
    config = transformers.BertConfig(vocab_size=size, **SMALL, **labelled("POS", "NEU", "NEG"))
    write(folder, transformers.BertForSequenceClassification(config))


def roberta(folder: Path) -> None:
    """Labels by number; positions counted from the padding's number on, and no more of them than needed."""
    size = byte_pairs(folder)
    config = transformers.RobertaConfig(
        vocab_size=size,
        max_position_embeddings=42,
        num_labels=3,
        tokenizer_class="RobertaTokenizer",
        **ROBERTA,
        **SMALL,
    )
    write(folder, transformers.RobertaForSequenceClassification(config))


def xlm_roberta(folder: Path) -> None:
    """Five stars, PyTorch's old file, and a page that states languages and licence."""
    transformers.XLMRobertaConfig().save_pretrained(str(folder))  # tells the tokenizer's kind
    size = sentence_pieces(folder)
    stars = labelled("1 star", *(f"{number} stars" for number in range(2, 6)))
    config = transformers.XLMRobertaConfig(vocab_size=size, max_position_embeddings=514, **ROBERTA, **SMALL, **stars)
    write(folder, transformers.XLMRobertaForSequenceClassification(config), old=True)
    (folder / "README.md").write_text("---\nlanguage:\n- en\n- de\n- multilingual\nlicense: mit\n---\n# Stars\n")


def distilbert(folder: Path) -> None:
    """Two labels: nothing is neutral."""
    size = word_pieces(folder)
    shape = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
    config = transformers.DistilBertConfig(vocab_size=size, **shape, **labelled("Negative", "Positive"))
    write(folder, transformers.DistilBertForSequenceClassification(config))


def feelings(folder: Path) -> None:
    """Labels that only a person can place."""
    size = word_pieces(folder)
    config = transformers.BertConfig(vocab_size=size, **SMALL, **labelled("joy", "anger", "nothing much"))
    write(folder, transformers.BertForSequenceClassification(config))


def base(folder: Path) -> None:
    """No classifier at all."""
    size = word_pieces(folder)
    write(folder, transformers.BertModel(transformers.BertConfig(vocab_size=size, **SMALL)))


KINDS: dict[str, Callable[[Path], None]] = {
    "bert": bert,
    "roberta": roberta,
    "xlm-roberta": xlm_roberta,
    "distilbert": distilbert,
    "feelings": feelings,
    "base": base,
}


if __name__ == "__main__":
    torch.manual_seed(2008)
    torch.set_num_threads(1)
    for name, make in KINDS.items():
        place = Path(sys.argv[1]) / name
        place.mkdir(parents=True)
        make(place)

"""An operator may bring in another classifier: checked, calibrated, compared, used only when told, and taken back."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from classifier.bring import bring, platt
from classifier.curves import BadCosts
from classifier.engine import Classifier
from classifier.guest import MANIFEST, Guest, Head
from classifier.labels import LABELS
from classifier.manifest import ModelError
from classifier.sheet import BadSet
from classifier.shelf import OWN, Shelf, open_model, read_costs
from tests.classifier.tiny_classifier import onnx_bytes, write_rows, write_tiny

ROTTEN, CALM = "kalian busuk sampah", "cerita pasar damai"


@pytest.fixture(scope="module")
def brought(shipped: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """A shelf with the tiny model on it, not yet in use."""
    root = tmp_path_factory.mktemp("shelf")
    shelf = Shelf(root / "models")
    bring(write_tiny(root / "tiny"), shelf.free("tiny"), write_rows(root / "rows.csv"), shipped, {})
    return shelf


def test_it_judges_nothing_until_it_is_used_and_can_be_undone(shipped: Classifier, brought: Shelf) -> None:
    assert open_model(None, brought).model_id == shipped.model_id
    brought.use("tiny", by="ani")
    guest = open_model(None, brought)
    assert guest.model_id != shipped.model_id
    assert brought.undo(by="budi") == OWN
    assert open_model(None, brought).model_id == shipped.model_id
    assert [(act["what"], act["name"], act["by"]) for act in brought.log()[-2:]] == [
        ("use", "tiny", "ani"),
        ("undo", OWN, "budi"),
    ]


def test_its_labels_take_the_host_s_place_and_all_else_stays(shipped: Classifier, brought: Shelf) -> None:
    guest = Guest.open(shipped, brought.path("tiny"))
    texts = [ROTTEN, CALM, "", "Selamat pagi"]
    for own, theirs in zip(shipped.judge(texts), guest.judge(texts), strict=True):
        assert {k: v for k, v in own.scores.items() if k != "hate"} == {
            k: v for k, v in theirs.scores.items() if k != "hate"
        }
        assert np.array_equal(own.embedding, theirs.embedding)
    rotten, calm, empty, _ = guest.judge(texts)
    assert rotten.decisions["hate"] == "yes"
    assert calm.decisions["hate"] == "no"
    assert calm.targets == []
    assert empty.scores == dict.fromkeys(shipped.manifest.labels, 0.0), "nothing to read accuses nobody"
    assert np.array_equal(guest.embed([ROTTEN]), shipped.embed([ROTTEN]))


def test_its_scores_do_not_depend_on_the_batch(shipped: Classifier, brought: Shelf) -> None:
    guest = Guest.open(shipped, brought.path("tiny"))
    texts = [ROTTEN, CALM, f"{ROTTEN} {CALM}", "kalian " * 5000, "🙂", "\x00 busuk"]
    assert [one.scores for one in guest.judge(texts)] == [guest.judge([text])[0].scores for text in texts]


def test_it_is_compared_on_rows_that_calibrated_nothing(brought: Shelf) -> None:
    told = json.loads((brought.path("tiny") / MANIFEST).read_text())
    row = told["compared"]["labels"]["hate"]
    assert row["guest"]["F1"][0] > 0.9
    assert {"F1", "F1 of yes", "unsure", "ECE"} <= row["current"].keys()
    assert 0 <= row["flips"] <= 1
    assert told["compared"]["rows"] + sum(told["curves"]["hate"]["rows"]) == 240
    assert set(told["compared"]["texts a second"]) == {"current", "guest"}


def test_calibrated_scores_mean_what_they_say() -> None:
    chance = np.random.default_rng(5)
    margins = chance.normal(0, 3, 4000)
    truth = (chance.random(4000) < 1 / (1 + np.exp(-(0.5 * margins - 1)))).astype(float)
    slope, _, bias = platt(margins, truth)
    assert (slope, bias) == (pytest.approx(0.5, abs=0.05), pytest.approx(-1, abs=0.15))
    slope, _, _ = platt(np.array([-1.0, 1.0] * 50), np.array([0.0, 1.0] * 50))
    assert 0 < slope < 20, "separable rows must not make it certain"


def test_rivals_and_independent_classes_are_read_each_in_their_way() -> None:
    logits = np.array([[1.0, 2.0, 0.5]], dtype=np.float32)
    assert Head(1, apart=True).margins(logits)[0] == 2
    share = np.exp(2) / np.exp(logits).sum()
    assert Head(1, apart=False).margins(logits)[0] == pytest.approx(np.log(share / (1 - share)), abs=1e-5)


def fails(
    shipped: Classifier, root: Path, said: str, label_map: dict[str, str] | None = None, **config: object
) -> None:
    source = root / "tiny"
    if not source.exists():
        write_tiny(source, **config)
    data = root / "rows.csv"
    if not data.exists():
        write_rows(data)
    with pytest.raises((ModelError, BadSet), match=said):
        bring(source, root / "models/tiny", data, shipped, label_map or {})
    assert not (root / "models/tiny").exists(), "a failed attempt leaves nothing"


def test_a_folder_that_is_no_classifier_s_is_named(shipped: Classifier, tmp_path: Path) -> None:
    fails(shipped, tmp_path, r"config\.json: id2label", id2label=None)


def test_another_vocabulary_is_refused(shipped: Classifier, tmp_path: Path) -> None:
    fails(shipped, tmp_path, r"tokenizer\.json: has 9 pieces.*vocabulary says 5", vocab_size=5)


def test_classes_without_our_names_need_a_map(shipped: Classifier, tmp_path: Path) -> None:
    fails(shipped, tmp_path, "--label-map hate=CLASS", id2label={"0": "LABEL_0", "1": "LABEL_1"})


@pytest.mark.parametrize("mapped", [{"hate": "7"}, {"hate": "unknown"}, {"love": "1"}])
def test_a_map_to_nowhere_is_named(shipped: Classifier, tmp_path: Path, mapped: dict[str, str]) -> None:
    fails(shipped, tmp_path, "--label-map", mapped)


def test_a_cut_model_and_one_of_another_shape_are_named(shipped: Classifier, tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    (tmp_path / "tiny/model.onnx").write_bytes(onnx_bytes()[:-60])
    fails(shipped, tmp_path, r"model\.onnx")
    (tmp_path / "tiny/model.onnx").write_bytes(onnx_bytes(classes=3))
    fails(shipped, tmp_path, r"model\.onnx: gives \(3,\) logits")
    (tmp_path / "tiny/model.onnx").write_bytes(onnx_bytes(words=3))
    fails(shipped, tmp_path, r"model\.onnx: does not run")


def test_a_cut_tokenizer_is_named(shipped: Classifier, tmp_path: Path) -> None:
    write_tiny(tmp_path / "tiny")
    (tmp_path / "tiny/tokenizer.json").write_text('{"version": ')
    fails(shipped, tmp_path, r"tokenizer\.json: not a tokenizer")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\na\n", "column hate is missing"),
        ("text,hate\na,maybe\n", "row 1, column hate: 'maybe'"),
        ("text,hate\na,1\nb,0\n", "20 are needed"),
        ("text,hate\n", "no row"),
    ],
)
def test_data_that_cannot_calibrate_is_named(shipped: Classifier, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "rows.csv").write_text(content)
    fails(shipped, tmp_path, f"rows.csv.*{said}")


def test_without_onnx_and_without_torch_the_way_is_told(
    shipped: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    write_tiny(tmp_path / "tiny")
    (tmp_path / "tiny/model.onnx").unlink()
    fails(shipped, tmp_path, r"training environment")


def test_a_guest_that_was_changed_afterwards_is_refused(shipped: Classifier, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    bring(write_tiny(tmp_path / "tiny"), shelf.free("tiny"), write_rows(tmp_path / "rows.csv"), shipped, {})
    shelf.use("tiny", by="ani")
    model = shelf.path("tiny") / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"model\.onnx: sha256"):
        open_model(None, shelf)


def test_names_that_are_taken_or_no_names_are_refused(brought: Shelf) -> None:
    for name in ("tiny", OWN, "", "..", "a/b", "A"):
        with pytest.raises(ModelError):
            brought.free(name)
    with pytest.raises(ModelError, match="there are: shipped, tiny"):
        brought.use("other", by="ani")


def test_the_one_in_use_is_not_removed(shipped: Classifier, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "models")
    bring(write_tiny(tmp_path / "tiny"), shelf.free("tiny"), write_rows(tmp_path / "rows.csv"), shipped, {})
    shelf.use("tiny", by="ani")
    with pytest.raises(ModelError, match="in use"):
        shelf.remove("tiny", by="ani")
    shelf.use(OWN, by="ani")
    shelf.remove("tiny", by="ani")
    assert shelf.names() == []
    assert [act["what"] for act in shelf.log()] == ["use", "use", "remove"]
    with pytest.raises(ModelError, match="no model"):
        shelf.undo(by="ani")


def test_a_damaged_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").write_text('{"what": "use", "name": "a", "before": "shipped"}\n{"what": \n')
    with pytest.raises(ModelError, match=r"log\.ndjson: line 2"):
        Shelf(tmp_path).in_use()


# Bands by cost


def test_costs_choose_bands_and_another_model_id(shipped: Classifier, brought: Shelf) -> None:
    model = open_model(None, brought, "hate=1/1/0.2")
    assert (model.manifest.bands["hate"].yes, model.manifest.bands["hate"].unsure) == (0.8, 0.2)
    assert model.manifest.bands["abusive"] == shipped.manifest.bands["abusive"]
    assert model.model_id not in (shipped.model_id, open_model(None, brought, "1/1/0.2").model_id)
    assert model.model_id == open_model(None, brought, "hate=1/1/0.2").model_id
    for text in (ROTTEN, CALM, "dasar anjing babi kalian semua"):
        judged = model.judge([text])[0]
        assert judged.decisions["hate"] == model.manifest.bands["hate"].decide(judged.scores["hate"])


def test_costs_reach_a_guest_too(brought: Shelf) -> None:
    guest = open_model(brought.path("tiny"), brought, "1/1/0.01")
    assert guest.manifest.bands["hate"].yes == 0.99


def test_costs_of_one_label_come_over_those_of_all() -> None:
    costs = read_costs("5/1/0.3 hate=1/1/0.2")
    assert set(costs) == set(LABELS)
    assert costs["hate"].miss == 1
    assert costs["abusive"].miss == 5
    assert read_costs("") == {}
    with pytest.raises(BadCosts, match="love"):
        read_costs("love=1/1/1")


@pytest.mark.train
def test_a_hugging_face_folder_is_exported_and_agrees_with_torch(shipped: Classifier, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    source = write_tiny(tmp_path / "tiny")
    (source / "model.onnx").unlink()
    config = BertConfig(
        vocab_size=9, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=34, id2label={0: "aman", 1: "hate"}, label2id={"aman": 0, "hate": 1},
    )  # fmt: skip
    network = BertForSequenceClassification(config).eval()
    network.save_pretrained(source)
    folder = tmp_path / "models/bert"
    bring(source, folder, write_rows(tmp_path / "rows.csv"), shipped, {})
    guest = Guest.open(shipped, folder)
    ids = torch.tensor([[2, 3, 4]])
    with torch.no_grad():
        wanted = network(ids, attention_mask=torch.ones_like(ids)).logits.numpy()
    assert guest._reader.logits([ROTTEN]) == pytest.approx(wanted, abs=1e-4)

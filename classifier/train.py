"""Train the model: `python -m classifier.train --data PATH --base PATH --out DIR`. Needs the [train] extra.

Each epoch takes a part of every set, in batches of texts of like length, some of them in a disguise. Seeded; a checkpoint every few
minutes, and the same command goes on from it.
"""

import argparse
import json
import math
import random
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional

from . import datasets
from .attacks import Respellings, attack, halves, read_respellings
from .batch import padded
from .datasets import Example
from .export import export
from .fit import fit_readers, write_manifest
from .labels import HEADS
from .manifest import MANIFEST
from .network import Network, from_base, from_weights
from .onnx_weights import read
from .swaps import names_in, swaps
from .text import clean

MAX_PIECES = 96
"""Pieces a text is cut to while training; the shipped model reads up to 128."""

HEAD_WEIGHT = {"hate": 1.0, "provocation": 0.7, "abusive": 0.4, "suspect": 0.3, "criticism": 0.5, "counter_speech": 0.6}
OTHER_HEAD_WEIGHT = 0.12
"""Of each target and each severity."""

SOURCE_WEIGHT = {
    # What the other sets call hate is not what the main set's labellers do.
    ("groups", "hate"): 0.4,
    ("javanese", "hate"): 0.5,
    ("sundanese", "hate"): 0.7,
    ("groups", "provocation"): 0.2,
    ("ibrohim", "provocation"): 0.4,
    ("claims", "suspect"): 0.5,
}
SHARES = {
    "ibrohim": 1.0, "groups": 0.6, "javanese": 0.8, "sundanese": 1.0, "reviews": 0.7, "elections": 2.0, "talk": 2.0, "claims": 0.4,
    "nusax": 0.5, "ours": 2.0, "written": 3.0, "made": 0.6,
}  # fmt: skip
"""How much of a set's training part an epoch takes; above 1, rows come several times."""

DISGUISED = 0.3
"""Share of texts that an epoch shows in a disguise: what `clean` does not undo is learnt."""

DISGUISES = ("slang", "slang", "slang", "leet", "repeated", "repeated", "spaced", "emoji")
"""What they are drawn from. Slang loses most, being the one that `clean` leaves alone."""

SWAPPED = 0.4
"""Share of texts that name a religion, an ethnicity, a party or a candidate which an epoch shows with another in its place: the label
hangs on what is said, not on whom."""

SMOOTHING = 0.02
EMA = 0.998


@dataclass(frozen=True, slots=True)
class Plan:
    epochs: int
    batch: int
    rate: float
    seed: int
    checkpoint_s: float
    share: float
    respellings: Respellings
    names: Sequence[str]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with hate/, ordinary/ and claims/")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base encoder")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints and the exported model")
    parser.add_argument("--fold", type=int, default=0, choices=range(5), help="published fold held out")
    parser.add_argument(
        "--start", type=Path, help="folder of an exported model to go on from, instead of the base's layers"
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="part of an epoch's texts that is taken, for a short run"
    )
    parser.add_argument("--only", nargs="*", help="sets to train on, by name; all by default")
    parser.add_argument("--limit", type=int, help="rows a set, for a quick try")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--layers", type=int, default=6, choices=(4, 6, 8, 12))
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint-s", type=float, default=240.0)
    args = parser.parse_args(argv)
    for name in ("data", "base"):
        if not getattr(args, name).is_dir():
            print(f"--{name}: no such folder: {getattr(args, name)}", file=sys.stderr)
            return 2
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    seed_all(args.seed)

    tokenizer = Tokenizer.from_file(str(args.base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_PIECES)
    examples = datasets.load(args.data, args.limit, args.fold)
    train = [e for e in examples if e.split == "train" and (not args.only or e.source in args.only)]
    dev = [e for e in examples if e.split == "dev" and e.source == "ibrohim"][:600]
    log(f"{len(train)} training texts")
    names = names_in([e.text for e in train if e.source in ("elections", "talk")])
    respellings, _ = halves(read_respellings(args.data))
    plan = Plan(args.epochs, args.batch, args.rate, args.seed, args.checkpoint_s, args.share, respellings, names)
    if not (args.out / "ngrams.npz").exists():
        fit_readers(train, args.out)
    network = from_weights(*read(args.start / "model.onnx")) if args.start else from_base(args.base, args.layers)
    averaged = learn(network, train, dev, tokenizer, plan, args.out)
    network.load_state_dict(averaged)
    network.eval()

    export(network, args.out / "model.onnx")
    shutil.copyfile(args.base / "tokenizer.json", args.out / "tokenizer.json")
    training = {
        "seed": plan.seed, "epochs": plan.epochs, "layers": args.layers, "batch": plan.batch, "rate": plan.rate,
        "limit": args.limit, "fold_held_out": args.fold, "only": args.only, "texts": len(train), "share": args.share,
    }  # fmt: skip
    if args.start:
        before = json.loads((args.start / MANIFEST).read_text(encoding="utf-8"))
        training |= {"layers": network.encoder.config.num_hidden_layers, "started_from": before["training"]}
    (args.out / "training.json").write_text(json.dumps(training), encoding="utf-8")
    write_manifest(args.out, examples, training)
    log(f"written to {args.out}")
    return 0


def epoch_of(
    train: list[Example], tokenizer: Tokenizer, plan: Plan, epoch: int
) -> list[list[tuple[list[int], Example]]]:
    """Return one epoch's batches of (pieces, example): texts of like length together, the batches in random order."""
    chance = random.Random(plan.seed * 31 + epoch)  # noqa: S311 (an order, not a secret)
    chosen = _drawn(train, plan, chance)
    texts = [_varied(e.text, plan, chance) for e in chosen]
    pieces = [found.ids for found in tokenizer.encode_batch([text.lower() for text in texts])]
    order = sorted(range(len(chosen)), key=lambda i: len(pieces[i]) * chance.uniform(0.85, 1.15))
    cut = [order[start : start + plan.batch] for start in range(0, len(order), plan.batch)]
    chance.shuffle(cut)
    return [[(pieces[i], chosen[i]) for i in batch] for batch in cut]


def _drawn(train: list[Example], plan: Plan, chance: random.Random) -> list[Example]:
    """Return an epoch's examples: as many in each."""
    chosen: list[Example] = []
    for source in sorted({e.source for e in train}):
        own = [e for e in train if e.source == source]
        share = SHARES.get(source, 1.0) * plan.share
        chosen += own * int(share) + chance.sample(own, round(len(own) * (share % 1)))
    return chosen


def _varied(text: str, plan: Plan, chance: random.Random) -> str:
    if chance.random() < SWAPPED:
        swapped = swaps(text, chance.randrange(1 << 30), plan.names)
        if swapped:
            text = chance.choice(swapped).text
    if chance.random() < DISGUISED:
        text = clean(attack(text, chance.choice(DISGUISES), chance.randrange(1 << 30), plan.respellings))
    return text


def learn(
    network: Network, train: list[Example], dev: list[Example], tokenizer: Tokenizer, plan: Plan, out: Path
) -> dict[str, torch.Tensor]:
    """Train in place and return the averaged weights; goes on from `out/checkpoint.pt` where there is one."""
    network.project.requires_grad_(False)
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=plan.rate, weight_decay=0.01, fused=True)
    each = math.ceil(len(_drawn(train, plan, random.Random(0))) / plan.batch)  # noqa: S311 (only their number counts)
    total = each * plan.epochs
    averaged = {name: value.detach().clone() for name, value in network.state_dict().items()}
    done = 0
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        if kept["total"] != total:
            raise SystemExit(
                f"{checkpoint}: of another run ({kept['total']} steps, now {total}); remove it to start anew"
            )
        network.load_state_dict(kept["network"])
        averaged, done = kept["averaged"], kept["done"]
        optimiser.load_state_dict(kept["optimiser"])
        log(f"goes on from step {done}")
    started, saved = time.monotonic(), time.monotonic()
    began_at = done
    network.train()
    recent: list[float] = []
    for epoch in range(done // each, plan.epochs):
        for place, batch in enumerate(epoch_of(train, tokenizer, plan, epoch)):
            step = epoch * each + place
            if step < done:
                continue
            seed_all(plan.seed * 1_000_003 + step)
            optimiser.param_groups[0]["lr"] = plan.rate * min(1.0, (step + 1) / (0.06 * total)) * (1 - step / total)
            loss = step_loss(network, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            done = step + 1
            average(averaged, network, min(EMA, done / (done + 10)))
            recent.append(float(loss.detach()))
            if done % 50 == 0 or done == total:
                pace = (time.monotonic() - started) / (done - began_at)
                log(
                    f"step {done}/{total} loss {np.mean(recent[-50:]):.4f} {pace:.2f} s/step, "
                    f"{pace * (total - done) / 60:.0f} min left"
                )
            if time.monotonic() - saved > plan.checkpoint_s or done == total:
                state = {"network": network.state_dict(), "averaged": averaged, "done": done, "total": total,
                         "optimiser": optimiser.state_dict()}  # fmt: skip
                torch.save(state, checkpoint.with_suffix(".tmp"))
                checkpoint.with_suffix(".tmp").replace(checkpoint)
                saved = time.monotonic()
        log(f"epoch {epoch + 1}: hate F1 on {len(dev)} dev rows {dev_f1(network, averaged, dev, tokenizer):.4f}")
    return averaged


def step_loss(network: Network, batch: list[tuple[list[int], Example]]) -> torch.Tensor:
    ids, mask = padded([pieces for pieces, _ in batch])
    with torch.autocast("cpu", torch.bfloat16):
        logits, _ = network(ids, mask)
    wanted = torch.tensor([example.labels for _, example in batch])
    weights = torch.tensor(
        [
            [
                HEAD_WEIGHT.get(head, OTHER_HEAD_WEIGHT) * SOURCE_WEIGHT.get((example.source, head), 1.0)
                for head in HEADS
            ]
            for _, example in batch
        ]
    )
    weights *= ~wanted.isnan()
    smooth = wanted.nan_to_num() * (1 - 2 * SMOOTHING) + SMOOTHING
    loss = functional.binary_cross_entropy_with_logits(logits.float(), smooth, reduction="none") * weights
    return loss.sum() / len(batch)


def dev_f1(network: Network, averaged: dict[str, torch.Tensor], dev: list[Example], tokenizer: Tokenizer) -> float:
    """Return F1 of `hate` on dev with the averaged weights, for whoever watches the log."""
    mine = {name: value.detach().clone() for name, value in network.state_dict().items()}
    network.load_state_dict(averaged)
    network.eval()
    pieces = [found.ids for found in tokenizer.encode_batch([e.text.lower() for e in dev])]
    order = sorted(range(len(dev)), key=lambda i: len(pieces[i]))
    right = told = true = 0.0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            said = network(*padded([pieces[i] for i in part]))[0][:, 0] > 0
            wanted = torch.tensor([dev[i].labels[0] == 1 for i in part])
            right, told, true = (
                right + float((said & wanted).sum()),
                told + float(said.sum()),
                true + float(wanted.sum()),
            )
    network.load_state_dict(mine)
    network.train()
    return 2 * right / max(1.0, told + true)


def average(averaged: dict[str, torch.Tensor], network: Network, keep: float) -> None:
    with torch.no_grad():
        for name, value in network.state_dict().items():
            averaged[name].lerp_(value, 1 - keep)


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

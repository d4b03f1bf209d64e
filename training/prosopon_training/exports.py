"""What is exported under which name, from which run."""
from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from . import evaluation_exports, gan_export, painted_export
from .contract import BRAIN_LEVELS, COARSE, COMPLEMENT_LEVELS, CUBE_EDGE_MM, FIELD_SHAPE, FINE, PEAK_LEVELS, SITES
from .data import read_index
from .export import write_model
from .networks.brain_codes import BrainVqVae
from .networks.brain_extraction import BrainExtraction
from .networks.complement import enlarge
from .networks.complement_fine import FINE_SITES, TwoLevelDecoder, TwoLevelVqVae
from .networks.latent_codes import LatentCodes
from .networks.texture import MAX_LOG_SPREAD, MIN_LOG_SPREAD, Texture
from .residual import ShapeResidual, residual_components
from .runs import load_run, settings_of
from .stages.brain_extraction import CENTRE, CROP
from .stages.masked_latent import load_latent
from .stages.vqvae_complement import load_fields
from .template import templates

DATA = ("IXI, Hammersmith subset at 2 mm, train split (113 heads), IXI project (brain-development.org), CC BY-SA 3.0; "
        "brain labels DLMUSE by the authors of NiChart")
TEXTURE_DATA = ("two T1-weighted heads at about 1 mm: a child of three (FNNDSC SAG-anon, MIT) and an adult (dcm_qa_uih, BSD 2-clause); "
                "their complement only")
LABEL_DATA = ("whole-head tissue labels of 23 people, training part of those in BBillot/SynthSeg (66342c1f, fb7597c4; Apache-2.0; who they are is "
              "not said there)")
BRAIN_SOURCES = {"data": f"{DATA}; {LABEL_DATA}"}
# shapes of label heads take part in mixtures
MIXED = {"data": f"{DATA}; shapes of 14 of the whole-head tissue labels in BBillot/SynthSeg (66342c1f, fb7597c4; Apache-2.0; who they are is not said there)"}
COMMON = {"version": "0.1.0", "licence": "CC-BY-SA-3.0", "data": DATA, "grid": {"size": 128, "spacing": 2}}


class FineDecoder(nn.Module):
    """d2 of two levels of codes, its fields enlarged from 8 mm to 4 mm."""

    def __init__(self, decoder: TwoLevelDecoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, codes: torch.Tensor, keep: torch.Tensor, fine: torch.Tensor, fine_keep: torch.Tensor,
                brain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        displacement, gain = self.decoder.decode(codes, keep, fine, fine_keep, brain)
        return enlarge(displacement), enlarge(gain)


class LatentPosterior(nn.Module):
    """What is seen of brain and codes to the latent's precision and evidence."""

    def __init__(self, model: LatentCodes):
        super().__init__()
        self.model = model

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.model.posterior(*inputs)


class LatentLogits(nn.Module):
    """A latent to logits over the codes of both levels."""

    def __init__(self, model: LatentCodes):
        super().__init__()
        self.model = model

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        coarse, fine = self.model.logits(z)
        return coarse @ self.model.look_up, fine @ self.model.look_up


def template_bytes(template: torch.Tensor, peak: float) -> torch.Tensor:
    return (template / peak * 255).round().clamp(0, 255)


class LearnedHead(nn.Module):
    """The learned head as bytes, and where to read it: positions (x, y, z in normalised coordinates) and the bytes' factor at 4 mm.

    ``src/methods/learned-head/warp.ts`` enlarges the fields and samples: ONNX Runtime samples a single channel in one thread and does
    not pass over air (0.6 s at 2 mm, where that takes 0.15). Positions, not displacements, are enlarged.
    """

    def __init__(self, template: torch.Tensor, peak: float, fields: tuple[int, int, int]):
        super().__init__()
        self.register_buffer("template", template_bytes(template, peak).to(torch.uint8))
        identity = F.affine_grid(torch.eye(3, 4)[None], [1, 1, *fields], align_corners=False)
        self.register_buffer("identity", identity.permute(0, 4, 1, 2, 3))
        self.scale = peak / 255

    def forward(self, displacement: torch.Tensor, gain: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.cat([self.identity + displacement, torch.exp(gain) * self.scale], 1), self.template


# By eye: real spread is mostly fibres and septa, and all of it drawn as grain made muscle look like a noisy scan.
GRAIN_SHARE = 0.5


class DrawTexture(nn.Module):
    """Layers of a smooth head as blocks of 2^3 voxels, one layer more at either end, and noise for those between (bytes, 32 a standard
    deviation about 128), to these layers with their fine part drawn: [d + 2, 8, y, x] and [d, 8, y, x] to [d, 8, y, x].

    :class:`Texture` as one 2-D convolution a layer, the same sums: ONNX Runtime has blocked kernels for 2-D convolutions alone. The caller
    lays out the blocks: with transposes, joined layers and both ends in the network it took twice the time (506 and 232 ms for 28 slices
    of 230 x 180).
    """

    def __init__(self, model: Texture):
        super().__init__()
        self.model = model

    def features(self, layers: torch.Tensor, shift: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log spread, ``shift`` added to the latter."""
        first, second, out = self.model.first, self.model.second, self.model.out
        h = sum(F.conv2d(x, first.weight[:, :, k], first.bias if k == 1 else None, padding=1)
                for k, x in enumerate((layers[:-2], layers[1:-1], layers[2:])))
        h = F.silu(F.conv2d(F.silu(h), second.weight[..., 0], second.bias))
        weight = out.weight[..., 0]
        mean = F.conv2d(h, weight[:8], out.bias[:8])
        log_spread = F.conv2d(h, weight[8:], out.bias[8:] + (shift - 2.5))
        return mean, log_spread.clamp(MIN_LOG_SPREAD + shift, MAX_LOG_SPREAD + shift)

    def forward(self, layers: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        mean, log_share = self.features(layers, math.log(GRAIN_SHARE / 32))
        # Nothing within about 3 mm of air: grain would roughen the skin, which in the scans it was learnt from is smooth, and the
        # mean, which knows sharp skin alone, made terraces of 1 mm of the learned head's softer one.
        near = F.max_pool2d((layers.mean(1, keepdim=True) < 0.15).float(), 3, stride=1, padding=1)
        deep = 1 - torch.maximum(torch.maximum(near[:-2], near[1:-1]), near[2:])
        fine = deep * (mean + torch.exp(log_share) * (noise.float() - 128))
        # Air stays air, and skin keeps its place: the fine part fades in between a tenth and a quarter of the brain's median.
        x = layers[1:-1]
        gate = ((x - 0.1) / 0.15).clamp(0, 1)
        return (x + gate * fine).clamp(min=0)


def export_extraction(run: Path, models: Path, _: argparse.Namespace) -> None:
    net = load_run(BrainExtraction(settings_of(run)["width"]), run)
    write_model("brain-extraction", net, {"image": torch.rand(1, 1, *CROP)}, ["logits"], models, {
        **COMMON, **BRAIN_SOURCES, "version": "0.4.0", "settings": {"middle": CENTRE},
        "description": "Brain mask logits at 2 mm (U-Net), any structural contrast, about a brain that stands upright at an adult's size",
        "normalisation": "0 at air; divided by the brain's median, cut at 4, halved"}, run=run)


def export_finder(run: Path, models: Path, _: argparse.Namespace) -> None:
    net = load_run(BrainExtraction(settings_of(run)["width"]), run)
    write_model("brain-finder", net, {"image": torch.rand(1, 1, 64, 64, 64)}, ["logits"], models, {
        **COMMON, **BRAIN_SOURCES, "grid": {"size": 64, "spacing": 4},
        "description": "Brain mask logits at 4 mm (U-Net), any structural contrast, any field of view",
        "normalisation": "0 at the scan's 1st percentile, 1 at its 99th, cut at 2"},
        free_axes={name: {2: "z", 3: "y", 4: "x"} for name in ("image", "logits")}, run=run)


def export_brain(run: Path, models: Path, _: argparse.Namespace) -> None:
    net = load_run(BrainVqVae(settings_of(run)["width"]), run).encoder
    write_model("brain-encoder", net, {"brain": torch.rand(1, 2, *FIELD_SHAPE)}, ["codes"], models, {
        **COMMON, "description": f"e1 of CP-MAE: brain at 4 mm to {'x'.join(map(str, SITES))} quantised codes (FSQ {','.join(map(str, BRAIN_LEVELS))})",
        "normalisation": "mask fraction; intensity over the brain's median"}, run=run,
        half=False)  # fp16 weights move values over the edges of the quantiser's steps


def export_latent(run: Path, models: Path, _: argparse.Namespace) -> None:
    model = load_latent(run)
    k, codes = settings_of(run)["components"], math.prod(COMPLEMENT_LEVELS)
    feeds = {"brain_codes": torch.rand(1, len(BRAIN_LEVELS), *SITES) * 2 - 1, "brain_sites": torch.rand(1, 2, *SITES), "seen": torch.ones(1, 1)}
    for name, shape in (("coarse", SITES), ("fine", FINE_SITES)):
        feeds[name] = torch.rand(1, len(COMPLEMENT_LEVELS), *shape) * 2 - 1
        feeds[f"{name}_keep"] = (torch.rand(1, 1, *shape) > 0.5).float()
    about = {**COMMON, **MIXED, "version": "0.2.0", "settings": {"levels": list(COMPLEMENT_LEVELS)}}
    write_model("masked-autoencoder", LatentPosterior(model), feeds, ["precision", "evidence"], models, {
        **about, "description": f"Masked autoencoder of CP-MAE, first half: what is seen of brain and codes ({math.prod(SITES)} sites of 32 mm, "
                                f"{math.prod(FINE_SITES)} of 16 mm) to the posterior of a Gaussian latent of {k}",
        "normalisation": "quantised values in -1..1; keep: 1 = seen; seen: 0 = the brain is not shown"}, run=run)
    write_model("masked-autoencoder-codes", LatentLogits(model), {"z": torch.randn(1, k)}, ["coarse", "fine"], models, {
        **about, "description": f"Masked autoencoder of CP-MAE, second half: a latent to logits over {codes} codes at every site of both levels",
        "normalisation": "a draw of the latent"}, run=run)


def export_complement_fine(run: Path, models: Path, args: argparse.Namespace) -> None:
    model = load_run(TwoLevelVqVae(settings_of(run)["width"]), run)
    feeds = {"codes": torch.rand(1, len(COMPLEMENT_LEVELS), *SITES) * 2 - 1, "keep": torch.ones(1, 1, *SITES),
             "fine": torch.rand(1, len(COMPLEMENT_LEVELS), *FINE_SITES) * 2 - 1, "fine_keep": torch.ones(1, 1, *FINE_SITES), "brain": torch.rand(1, 2, *FIELD_SHAPE)}
    write_model("complement-decoder", FineDecoder(model.decoder), feeds, ["displacement", "gain"], models, {
        **COMMON, **MIXED, "version": "0.2.0", "description": "d2 of CP-MAE: codes of two levels and brain to displacement and log gain at 4 mm",
        "normalisation": "displacement in normalised coordinates (1 = half of the grid: x 96 mm, y and z 128 mm)",
        "settings": {"levels": list(COMPLEMENT_LEVELS)}}, run=run)
    components, share = residual_components(model, load_fields(args.fields, read_index(args.data, "train")), args.components)
    write_model("shape-residual", ShapeResidual(args.spread * components), {"scores": torch.randn(1, args.components), "brain": torch.rand(1, 2, *FIELD_SHAPE)},
                ["displacement", "gain"], models, {
        **COMMON, "version": "0.2.0",
        "description": f"Random fields that the codes leave open: {args.components} principal components with {100 * share:.0f} % of the residual's "
                       f"variance over train heads, {args.spread:g} times as wide",
        "normalisation": "standard normal scores", "settings": {"components": args.components, "varianceShare": round(share, 4)}}, derived_from=run)
    # where the fields make heads of another template than the learned head that ships, it comes with them
    if not args.keep_heads:
        export_heads(*templates(args.fields, args.data, args.sharpen), models, args.fields)


def export_heads(coarse: torch.Tensor, fine: torch.Tensor, models: Path, fields_run: Path | None = None) -> None:
    """The learned head at 2 mm [128, 128, 96] and at 1 mm [256, 256, 192], brain levels."""
    fields = {"displacement": torch.rand(1, 3, *FIELD_SHAPE) * 0.05, "gain": torch.rand(1, 1, *FIELD_SHAPE) * 0.2}
    for template, size, spacing in ((coarse, COARSE, CUBE_EDGE_MM // COARSE), (fine, FINE, CUBE_EDGE_MM // FINE)):
        write_model(f"head-{size}", LearnedHead(template, PEAK_LEVELS, FIELD_SHAPE), fields, ["fields", "template"], models, {
            **COMMON, "grid": {"size": size, "spacing": spacing},
            "description": f"The learned head at {spacing} mm as bytes, and where to read it: positions in normalised coordinates and the bytes' factor at 4 mm",
            "normalisation": "1 = the brain's median"}, half=False, derived_from=fields_run)


def export_texture(run: Path, models: Path, _: argparse.Namespace) -> None:
    settings = settings_of(run)
    net = load_run(Texture(settings["width"]), run)
    feeds = {"layers": torch.rand(16, 8, 24, 16), "noise": torch.randint(0, 255, (14, 8, 24, 16), dtype=torch.uint8)}
    write_model("texture", DrawTexture(net), feeds, ["textured"], models, {
        **COMMON, "version": "0.2.0", "grid": {"size": 256, "spacing": 1}, "licence": "MIT", "data": TEXTURE_DATA,
        "description": "Texture decoder at 1 mm: the fine part of a head, its mean and its spread from the smooth head, drawn with the noise given",
        "normalisation": "blocks of 2 x 2 x 2 voxels as channels, z slowest; 1 = the brain's median; noise: bytes, 32 a standard deviation about 128",
        "settings": {"correlation": settings["correlation"], "arena": True}},
        free_axes={"layers": {0: "layers", 2: "y", 3: "x"}, "noise": {0: "drawn", 2: "y", 3: "x"}, "textured": {0: "drawn", 2: "y", 3: "x"}}, run=run)


EXPORTS = {"brain-finder": export_finder, "brain-extraction": export_extraction, "vqvae-brain": export_brain,
           "vqvae-complement-fine": export_complement_fine, "masked-latent": export_latent, "texture": export_texture, "paint": painted_export.export_painter,
           "cp-gan": gan_export.export_generator,
           **evaluation_exports.EVALUATION_EXPORTS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", choices=EXPORTS)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--data", nargs="+", help="prepared folders (vqvae-complement-fine: heads, and the 1 mm template)")
    parser.add_argument("--fields", type=Path, help="run folder of register (vqvae-complement-fine)")
    parser.add_argument("--components", type=int, default=40, help="principal components of the shape residual")
    parser.add_argument("--spread", type=float, default=1.0, help="factor of the shape residual's deviations (vqvae-complement-fine)")
    parser.add_argument("--keep-heads", action="store_true", help="the fields are those of the learned head that ships: write no other (vqvae-complement-fine)")
    parser.add_argument("--sharpen", type=float, default=0.8)
    parser.add_argument("--template", type=Path, default=Path("models/head-128/model.onnx"), help="the learned head (cp-gan, form move)")
    evaluation_exports.add_arguments(parser)

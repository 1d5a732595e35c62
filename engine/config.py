"""Every knob of every command, its default, and why."""

from dataclasses import dataclass
from pathlib import Path

from engine.backbones.compact import DEPTHS, WIDTHS
from engine.metrics.lacking import DARK_FROM, PROFILE_FROM


@dataclass(frozen=True)
class BuildConfig:
    """`python -m engine build`."""

    source: str
    out: Path
    models: tuple[str, ...] = ()  # none: a cache of faces alone
    labels: Path | None = None
    faces: str = "crop"  # 'crop': the image is a face; 'detect': find the faces in it
    limit: int | None = None  # entries of the source; for a quick look
    device: str = "auto"
    precision: str = "auto"  # of the trunks
    batch: int | None = None  # faces per forward pass; None: what suits the device
    chunk: int = 2048  # source entries per part: what a kill costs at most
    workers: int = 2  # threads that decode images
    samples: bool = True  # keep all S samples, for the spread in the face's detail
    features: tuple[str, ...] = ()  # backbones whose features are kept, beside those that the models read
    classes: tuple[str, ...] | None = None  # of a source that names none; None: the model's, else FER+'s
    measure: bool = False  # skin tone, pose, light and sharpness of every face, measured while it is decoded
    attributes: Path | None = None  # CSV or Parquet of what is known of the faces, by source


@dataclass(frozen=True)
class ImportConfig:
    """`python -m engine import-predictions`."""

    file: Path  # .npz, .npy or Parquet
    cache: Path
    name: str  # of the model on every page
    title: str | None = None  # what it is, in words; None: the file's name
    logits: bool = False  # the numbers are logits; a .npz or a list column can say so by its own names
    samples: bool = True  # keep all S samples, for the spread in the face's detail
    replace: bool = False  # take the place of an earlier import of that name


@dataclass(frozen=True)
class EmbedConfig:
    """`python -m engine embed`. docs/embedding.md has the measurements behind the numbers."""

    cache: Path
    spaces: tuple[str, ...] = ()  # none: the first backbone of each model, and each model that keeps no features
    method: str = "both"  # 'pca', 'umap' or 'both'
    nearest: int = 10  # faces in each list of neighbours; 0: no lists
    seed: int = 20  # of UMAP, and of the sample that it is fitted on
    neighbours: int = 15  # of UMAP, its authors' default: fewer shatter the map, more blur it
    min_dist: float = 0.1  # of UMAP, its authors' default: faces neither piled up nor spread evenly
    dimensions: int = 50  # principal axes that UMAP sees: as faithful as all of them, and faster
    fit_most: int = 50_000  # faces that UMAP is fitted on: FER+ whole, in half a minute; 20,000 were as faithful
    fit_least: int = 50  # different faces below which only a PCA is made: UMAP has to have far more than `neighbours`
    searched_most: int = 100_000  # faces among which neighbours are looked for; 20 minutes for a million faces


@dataclass(frozen=True)
class HeadConfig:
    """`python -m engine train uncnet` and `train layers`: heads on FaceNet's features."""

    backbone: str = "facenet-casia-webface-mixed-7a"  # the paper's choice; table 1 says whether it is the best here
    seeds: int = 5  # heads of each kind that are kept
    sweep_seeds: int = 2  # runs per setting of the sweep
    dropouts: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.5)  # the paper does not print its rate
    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3)
    epochs: int = 60  # at most; the best epoch is kept
    patience: int = 8  # epochs without a lower validation loss before a run ends
    batch: int = 128


@dataclass(frozen=True)
class TrainConfig:
    """`python -m engine train compact`. Ranges are symmetric and uniform unless stated."""

    members: int = 5
    first_seed: int = 0
    epochs: int = 30
    batch: int = 128
    learning_rate: float = 0.1  # peak of the one-cycle schedule
    warmup: float = 0.2  # share of the steps before the peak
    momentum: float = 0.9
    weight_decay: float = 5e-4  # of weight matrices and kernels; not of biases and norms
    dropout: float = 0.2  # head; .5 costs accuracy at 128 hidden units
    rendered_from: float = 0.6  # share of the epochs after which the probe's rendered faces join
    rotation: float = 0.2  # radians
    scale: float = 0.12
    shift: float = 0.1  # of half the side
    contrast: float = 0.3
    brightness: float = 0.3  # standard deviations of the image
    erase: int = 16  # px, longest side of the erased box; 4 at least
    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS


@dataclass(frozen=True)
class SkewConfig(TrainConfig):
    """`python -m engine train skew`: two ensembles alike in all but what their training faces lacked.

    What is not listed here is the compact model's recipe. docs/models/skew.md has the design.
    """

    epochs: int = 150  # of 576 faces: 1,350 steps, as many as 6 epochs of the compact model's
    batch: int = 64  # 9 steps an epoch; the compact model's 128 would leave 4
    learning_rate: float = 0.05  # half the compact model's, with half its batch
    rendered_from: float = 1.0  # the rendered faces are all there is; none join later
    widths: tuple[int, ...] = (16, 32, 48, 56)  # a tenth of the compact model's parameters: ten members below 4 MB
    dark_from: int = DARK_FROM  # Monk tone; this and darker ones are removed from the skewed arm
    profile_from: int = PROFILE_FROM  # degrees; heads turned so far to either side are removed too
    subset_seed: int = 6  # of the balanced arm's choice of faces

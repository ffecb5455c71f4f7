"""The names of metrics and feature networks: what a config may ask for. Imports nothing."""

# name -> what it is, in a few words for tables and help texts; the order is that of tables
METRICS = {
    "fid": "Frechet inception distance",
    "kid": "kernel inception distance",
    "inception_score": "Inception score",
    "fcd": "Frechet classifier distance",
    "fd_efficientnet": "Frechet distance of EfficientNet-Lite0 features",
    "frechet_distance": "Frechet distance of any features",
    "kernel_distance": "kernel distance of any features",
    "precision": "share of samples within the real images' manifold",
    "recall": "share of real images within the samples' manifold",
    "density": "how densely real neighbourhoods are filled",
    "coverage": "share of real neighbourhoods that hold a sample",
    "ms_ssim": "mean similarity of pairs of samples",
    "sure": "share of samples that the classifier is sure of (p > 0.9)",
    "rarest_class": "share of the rarest class",
    "commonest_class": "share of the most frequent class",
    "copies": "share of samples nearer to a training image than 99% of those are to each other",
    "label_accuracy": "share of samples that are of the class that was asked for",
    "intra_fcd": "Frechet classifier distance within a class, the mean over the classes",
    "intra_ms_ssim": "mean similarity of pairs of samples of one class",
    "code_agreement": "share of samples whose code is their class, after the best matching",
    "test_errors": "errors of the GAN's own classifier on the test split",
    "modes": "modes of a mixture of Gaussians that samples cover",
    "high_quality": "share of samples within 3 standard deviations of a mode",
    "validity": "share of texts that are valid",
    "distinct": "different valid texts",
    "novelty": "share of the valid texts that are none of the training texts",
    "stacked_modes": "triples of digits, of 1000, that occur in stacked images",
    "stacked_kl": "KL divergence of the triples' shares from the uniform ones, in nats",
}

# of these more is better; of all others less, or neither
HIGHER = (
    "inception_score",
    "precision",
    "recall",
    "density",
    "coverage",
    "sure",
    "rarest_class",
    "label_accuracy",
    "code_agreement",
    "modes",
    "high_quality",
    "validity",
    "distinct",
    "stacked_modes",
)

POINT_METRICS = ("modes", "high_quality")
TEXT_METRICS = ("validity", "distinct", "novelty")

# name -> module, class and arguments, under ganzoo.metrics.features
EXTRACTORS = {
    "inception": ("inception", "Inception", {"resize": "legacy"}),
    "inception_clean": ("inception", "Inception", {"resize": "clean"}),
    "efficientnet_lite0": ("efficientnet", "EfficientNetLite0", {}),
    "mnist_classifier": ("classifier", "Classifier", {"name": "mnist_classifier"}),
    "fashion_mnist_classifier": ("classifier", "Classifier", {"name": "fashion_mnist_classifier"}),
}

"""From a folder of images to a classifier, tracked in MLflow."""

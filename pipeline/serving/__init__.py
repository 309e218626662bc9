"""What a logged model does with images of any form. It is stored with the model (tracking/stored_code.py)."""

from pipeline.serving.answers import OUTPUTS, TOP
from pipeline.serving.classifier import ImageClassifier, file_digest
from pipeline.serving.settings import KEY

__all__ = ["KEY", "OUTPUTS", "TOP", "ImageClassifier", "file_digest"]

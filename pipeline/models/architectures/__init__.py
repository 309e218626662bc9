"""The models, one file each: NAME.py has a function NAME, decorated with keras_model or numpy_model."""

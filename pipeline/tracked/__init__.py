"""What stages share: data, a training and an evaluation, each as MLflow sees it."""

"""What holds an accuracy back: small controlled trainings, what is judged from them, and the answer in words."""

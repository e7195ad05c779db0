"""What is known of AWS itself: service models, sides, sentences, end-of-support dates; data files and their readers."""

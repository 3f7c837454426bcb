"""What is shown: masks over the picture, states of frames, where the plate lies in a viewer."""

"""What a run writes into a folder: mattes, shapes, anchors, files for other tools, and a record of it all."""

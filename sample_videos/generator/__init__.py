"""Generator of the sample clips: traffic from SUMO, pictures from Blender sprites, and the exact truth."""

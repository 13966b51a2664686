"""Drawing a view: what has passed is proposed from, drawn over and counted again with what was drawn."""

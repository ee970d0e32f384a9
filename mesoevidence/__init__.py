"""Record study claims with their evidence, check them, pool them, judge them and draw them."""

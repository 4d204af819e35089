//! What Launchway asks of AWS, in its own words.

"""From scans as they come to what a network takes."""

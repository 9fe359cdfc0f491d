"""The embedded services behind `gem up`."""

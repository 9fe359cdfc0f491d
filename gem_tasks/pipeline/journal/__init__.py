"""Makes every completion durable as soon as it arrives, so that GEM pays for no answer twice."""

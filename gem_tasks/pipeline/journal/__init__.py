"""Every completion is durable as soon as it arrives, so that no answer is paid for twice."""

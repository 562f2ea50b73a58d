"""The simulated city: people with phones, stores with queues, and the demo that lets them talk to the real backend."""

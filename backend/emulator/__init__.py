"""A local FCM, OAuth token endpoint and ID-token issuer to run against."""

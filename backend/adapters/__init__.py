"""The real ends of the ports: databases, Redis, FCM and Firebase authentication."""

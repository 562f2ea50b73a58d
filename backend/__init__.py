"""Lull's backend: decides who gets which coupon, keeps the books, and pushes."""

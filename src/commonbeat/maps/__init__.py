"""What may be counted in public: each report once, in a fixed set of buckets that every map, tile and file sums."""

"""What the map's speed is measured beside: the same points, asked for in the same tiles, by other programs.

PostGIS, supercluster, datashader and DuckDB are not part of Commonbeat. What is not on the machine is fetched into
.bench/ (which git ignores) or named as absent; nothing here is imported by the product.
"""

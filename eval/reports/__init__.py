"""Reports of comparisons and studies: HTML, charts, pictures and downloads."""

"""Qt widgets that emit what the user wants and know neither viewer nor layers."""

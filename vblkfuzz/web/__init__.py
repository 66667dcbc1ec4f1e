"""The dashboard: pages about an output folder or a store, for a browser. It only reads them."""

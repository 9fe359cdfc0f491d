"""What an exported environment needs of GEM beside the runtime of worlds: it is copied into the package.

No module here imports a framework; the frameworks' files are in `envs/verifiers` and `envs/nemo_gym`.
"""

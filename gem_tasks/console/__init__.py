"""Builds the contents of the pages in Airflow's UI from rows and objects, without HTTP or markup.

Every function only reads, and takes the connection and the workspace to read from. The same values are the JSON API's
answers and the templates' input, so page and API cannot disagree.
"""

"""What the pages in Airflow's UI show, put together from rows and objects; no HTTP and no markup here.

Every function reads, and takes the connection and the workspace it reads from. The values are the JSON API's answers
and the templates' input alike, so that page and API cannot disagree.
"""

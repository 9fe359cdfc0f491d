-- Run once, when the database's volume is empty: GEM's lineage lies in `gem`, Airflow's own tables here.
CREATE DATABASE airflow OWNER gem TEMPLATE template0;

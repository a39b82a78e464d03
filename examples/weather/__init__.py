"""The code of `weather.json`: from three files of measurements to a table and a report."""

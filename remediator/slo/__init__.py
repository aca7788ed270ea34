"""Objectives, their error budgets and history, from the series of Sloth and Pyrra or from queries in the settings."""

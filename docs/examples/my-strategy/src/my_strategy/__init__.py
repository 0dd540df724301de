"""A search strategy of our own."""

from my_strategy.patient_climber import PatientClimber

__all__ = ["PatientClimber"]

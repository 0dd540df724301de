"""An example search strategy."""

from my_strategy.patient_climber import PatientClimber

__all__ = ["PatientClimber"]

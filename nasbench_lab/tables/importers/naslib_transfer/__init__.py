"""NAS-Bench-Suite-Zero from NASLib: samples of three spaces on SVHN, NinaPro and spherical CIFAR-100."""

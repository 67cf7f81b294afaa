"""What data/wheel.sh knows and a page cannot say: the version, and for which platforms the extension is."""
import os

from setuptools import Distribution, setup
from wheel.bdist_wheel import bdist_wheel


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    def get_tag(self):
        return "py3", "none", os.environ["CONNBITS_PLATFORM"]


setup(version=os.environ["CONNBITS_VERSION"], distclass=WithLibrary, cmdclass={"bdist_wheel": AnyPython})

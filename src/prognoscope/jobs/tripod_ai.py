"""TRIPOD+AI: the items of the checklist for reports of prediction models, each named in a few words of our own.

Collins et al. 2024, BMJ 385:e078378: 27 items with their parts. The numbers are theirs, the subjects and what is asked
of a person are short paraphrases; the wording that counts is the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOURCE = "Collins et al. 2024, BMJ 385:e078378"

Applies = Literal["development", "evaluation", "both"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item or part of an item.

    Attributes
    ----------
    number
        As in the paper (`12c`).
    section
        Part of the report it belongs to.
    subject
        What it is about.
    person
        What a person has to state where the run cannot.
    applies
        To studies that develop a model, that evaluate one, or to both.
    """

    number: str
    section: str
    subject: str
    person: str
    applies: Applies = "both"


TITLE, INTRODUCTION, METHODS = "Title and abstract", "Introduction", "Methods"
OPEN, INVOLVEMENT, RESULTS, DISCUSSION = "Open science", "Patients and public", "Results", "Discussion"

ITEMS: tuple[Item, ...] = (
    Item("1", TITLE, "title", "a title that names development or evaluation, the population and the outcome"),
    Item("2", TITLE, "abstract", "an abstract by the list for abstracts of the same paper"),
    Item("3a", INTRODUCTION, "clinical context and rationale", "the context, why this model, which models exist"),
    Item(
        "3b", INTRODUCTION, "target population and use", "for whom, where in the pathway and by whom it is to be used"
    ),
    Item("3c", INTRODUCTION, "known inequalities", "which health inequalities between groups are known"),
    Item("4", INTRODUCTION, "objectives", "that the objective is as found, or what else it is"),
    Item("5a", METHODS, "sources of data", "the design behind the data, why they were chosen, whom they represent"),
    Item("5b", METHODS, "dates", "when recruitment began and ended, and when follow-up ended"),
    Item("6a", METHODS, "setting", "the kind of care, number and place of the centres"),
    Item("6b", METHODS, "eligibility", "how participants were found and asked before the table was made"),
    Item("6c", METHODS, "treatments", "treatments received and how they were handled"),
    Item("7", METHODS, "data preparation and quality", "whether data were prepared and checked alike in all groups"),
    Item("8a", METHODS, "outcome and horizon", "why this outcome, how it was assessed, whether alike in all groups"),
    Item("8b", METHODS, "assessors of the outcome", "who judged the outcome, if judgement was needed"),
    Item("8c", METHODS, "blinding of the outcome", "what kept assessors of the outcome from knowing the predictors"),
    Item(
        "9a",
        METHODS,
        "choice of predictors",
        "why these were offered, and any choice before the table was made",
        "development",
    ),
    Item("9b", METHODS, "definition of predictors", "how they were measured, and what blinded those who measured them"),
    Item("9c", METHODS, "assessors of predictors", "who judged predictors or drew regions, if judgement was needed"),
    Item("10", METHODS, "sample size", "how the size of the study was arrived at"),
    Item("11", METHODS, "missing data", "why data are missing, and why any were left out"),
    Item("12a", METHODS, "use of the data", "how the data were divided", "development"),
    Item("12b", METHODS, "handling of predictors", "how predictors were transformed", "development"),
    Item("12c", METHODS, "model building", "which models, tuning and internal validation", "development"),
    Item("12d", METHODS, "clusters, methods", "whether estimates differ between centres or other clusters"),
    Item("12e", METHODS, "measures of performance", "why these measures"),
    Item("12f", METHODS, "updating, methods", "whether and how the model was updated", "evaluation"),
    Item("12g", METHODS, "how predictions were made", "by which formula, code or service", "evaluation"),
    Item("13", METHODS, "class imbalance", "whether imbalance was corrected before, and recalibrated after"),
    Item("14", METHODS, "fairness, methods", "what was done for fairness, and why"),
    Item("15", METHODS, "output of the model", "why classes or thresholds, if any are used", "development"),
    Item("16", METHODS, "development against evaluation data", "how setting, criteria, outcome and predictors differ"),
    Item("17", METHODS, "ethics", "the approval, and consent or its waiver"),
    Item("18a", OPEN, "funding", "who paid, and their role"),
    Item("18b", OPEN, "conflicts of interest", "of every author"),
    Item("18c", OPEN, "protocol", "where the protocol is, or that there is none"),
    Item("18d", OPEN, "registration", "register and number, or that it was not registered"),
    Item("18e", OPEN, "data sharing", "how others get the data"),
    Item("18f", OPEN, "code sharing", "where the study file and any code of your own can be had"),
    Item("19", INVOLVEMENT, "involvement", "what patients and public did in the study, or that they were not involved"),
    Item("20a", RESULTS, "flow of participants", "who was lost before the table was made"),
    Item("20b", RESULTS, "characteristics", "dates, settings, treatments, and differences between demographic groups"),
    Item("20c", RESULTS, "comparison with the development data", "predictors and outcome in both", "evaluation"),
    Item("21", RESULTS, "numbers in each analysis", "numbers in analyses made elsewhere"),
    Item("22", RESULTS, "the full model", "where the model can be had", "development"),
    Item("23a", RESULTS, "performance with intervals", "performance in key groups"),
    Item("23b", RESULTS, "clusters, results", "how performance differs between centres or other clusters"),
    Item("24", RESULTS, "updating, results", "the updated model and its performance", "evaluation"),
    Item("25", DISCUSSION, "interpretation", "what it means, beside objectives, other studies and fairness"),
    Item("26", DISCUSSION, "limitations", "limits that no number shows, such as who is not represented"),
    Item(
        "27a",
        DISCUSSION,
        "poor or missing input in use",
        "what the clinic does where the model abstains",
        "development",
    ),
    Item("27b", DISCUSSION, "who operates it", "what users must do and know", "development"),
    Item("27c", DISCUSSION, "next steps", "what must follow before use"),
)

"""Texts, sequences and private blocks: names in sentences, in spellings that no element has, and deep inside."""

from __future__ import annotations

from pydicom import Dataset, Sequence

from tests.make.identifiers_study import CLASSES, KEPT_WORDS, Study


def plant_descriptions(study: Study, dataset: Dataset, number: int) -> None:
    """Descriptions and comments with names, numbers, places and dates among words that stay."""
    person, cleaned = study.person, "clean_descriptors" in study.options
    written = f"{person.study[:4]}-{person.study[4:6]}-{person.study[6:]}"
    texts = {
        "SeriesDescription": f"Chest {person.family} axial",
        "StudyDescription": f"Thorax {person.accession}",
        "ImageComments": f"{KEPT_WORDS}. {person.given} {person.family}, MRN {person.patient_id},"
        f" tel {person.phone}, {person.mail}, at {person.address}."
        f" Seen {written} by Dr. {person.physician.split('^')[0]}.",
        "PatientComments": f"{KEPT_WORDS}; {person.name} of {person.institution}, ID {person.other_id}",
    }
    kept = {"SeriesDescription": "axial", "StudyDescription": "Thorax"}
    for keyword, text in texts.items():
        setattr(dataset, keyword, text)
        if cleaned:
            study.key.ask(number, "text retained", "description", keyword, text=kept.get(keyword, KEPT_WORDS))
        for secret in (*person.secrets(), written):
            if secret in text:
                study.key.ask(number, "text removed", "description", keyword, text=secret)
    study.key.hide(number, written)


def plant_spelt(study: Study, dataset: Dataset, number: int) -> None:
    """Spellings that no element of the study has as they stand, one after the other in a comment."""
    spellings = study.person.spellings()
    dataset.AcquisitionComments = f"{KEPT_WORDS}; " + "; ".join(spellings) + f"; {KEPT_WORDS}"
    for text in spellings:
        study.key.ask(number, "text removed", "spelling", "AcquisitionComments", text=text)
    if "clean_descriptors" in study.options:
        study.key.ask(number, "text retained", "spelling", "AcquisitionComments", text=KEPT_WORDS)
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation, icon.PixelRepresentation = 1, "MONOCHROME2", 0
    icon.BitsAllocated, icon.BitsStored, icon.HighBit = 8, 8, 7
    icon.Rows, icon.Columns, icon.PixelData = 4, len(study.person.family), study.person.family.encode() * 4
    dataset.IconImageSequence = Sequence([icon])
    study.key.ask(number, "text removed", "icon", "IconImageSequence", "PixelData", text=study.person.family)


def plant_nested(study: Study, dataset: Dataset, number: int) -> None:
    """Names, a UID and a private block two sequences deep, and another patient ID in one."""
    person, uid = study.person, study.new_uid()
    deep = Dataset()
    deep.PatientName, deep.InstitutionName = person.name, person.institution
    deep.ReferencedSOPClassUID, deep.ReferencedSOPInstanceUID = CLASSES["CT"], uid
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator = "39607008", "SCT"
    region.CodeMeaning = "Lung structure"
    own = deep.private_block(0x0043, f"ACME {person.family}", create=True)
    own.add_new(0x01, "LO", person.name)
    region.AnatomicRegionModifierSequence = Sequence([deep])
    dataset.AnatomicRegionSequence = Sequence([region])
    other = Dataset()
    other.PatientID, other.TypeOfPatientID = person.other_id, "TEXT"
    dataset.OtherPatientIDsSequence = Sequence([other])
    path = ("AnatomicRegionSequence", "AnatomicRegionModifierSequence")
    ask = study.key.ask
    ask(number, "text retained", "sequence", "AnatomicRegionSequence", "CodeMeaning", text="Lung structure")
    ask(number, "text removed", "sequence", *path, "PatientName", text=person.family)
    ask(number, "text removed", "private", *path, "(0043,0010)", text=person.family)
    ask(number, "text removed", "private", *path, "(0043,1001)", text=person.family)
    ask(number, "text removed", "sequence", *path, "InstitutionName", text=person.institution)
    ask(number, "UID changed", "sequence", *path, "ReferencedSOPInstanceUID", text=uid)
    ask(number, "UID consistent", "sequence", *path, "ReferencedSOPInstanceUID", text=uid)
    ask(number, "text removed", "sequence", "OtherPatientIDsSequence", "PatientID", text=person.other_id)
    study.key.hide(number, uid)


def plant_private(study: Study, dataset: Dataset, number: int) -> None:
    """A private block with the name and the ID, and one that the standard calls safe."""
    block = dataset.private_block(0x0099, "ACME PATIENTS", create=True)
    block.add_new(0x01, "LO", study.person.name)
    block.add_new(0x02, "UN", study.person.patient_id.encode() + b" " * (len(study.person.patient_id) % 2))
    study.key.ask(number, "text removed", "private", "(0099,1001)", text=study.person.family)
    if dataset.Modality == "PT":
        safe = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        safe.add_new(0x00, "DS", "0.000321")
        if "retain_safe_private" in study.options:
            study.key.ask(number, "text retained", "private", "(7053,1000)", text="0.000321")
        else:
            study.key.ask(number, "text removed", "private", "(7053,1000)", text="0.000321")

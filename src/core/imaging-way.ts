/** How images are prepared: by the addon, or by what runs anywhere. Both give the same pixels. */
export type ImagingWay = 'native' | 'portable';

export type ImagingPreference = 'auto' | ImagingWay;
